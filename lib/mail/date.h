/*
 * date.h - dates in headers (RFC 5322 3.3 and 4.3).
 */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

#include "base/arena.h"

/* "Fri, 6 Feb 2026 10:00:00 +0100 (CET)", in the local zone, of seconds since
 * 1970. */
struct str date_format(struct arena *a, int64_t seconds);

/*
 * Read a date as mail has it, in seconds since 1970; *zone, which may be NULL,
 * is the zone's distance from UTC in minutes. Takes besides RFC 5322: commas
 * anywhere, comments, no or a wrong weekday, no time (midnight), no seconds,
 * AM and PM, years of two and three digits, zones by name (unknown ones, and
 * single letters but Z, count as UTC), "+01:00", the order of asctime(3),
 * 6-Feb-2026 and 2026-02-06T10:00:00Z. False where day, month or year are
 * missing or out of range.
 */
bool date_parse(struct str text, int64_t *seconds, int *zone) MUST_USE;

/* The same, of a message (RFC 5256 2.2): behind the day a time that is none
 * counts as midnight UTC, and a zone that is none as UTC. */
bool date_parse_sent(struct str text, int64_t *seconds, int *zone) MUST_USE;

/* The date-time of RFC 3339 5.6 and nothing else: "2026-02-06T10:00:00Z",
 * "2026-02-06T10:00:00.25+01:00". In seconds, a fraction is dropped. */
bool date_parse_internet(struct str text, int64_t *seconds) MUST_USE;
/* "2026-02-06T09:00:00Z" */
struct str date_format_internet(struct arena *a, int64_t seconds);

#endif
