/*
 * pattern.h - patterns of LIST and LSUB (RFC 9051 6.3.9): "*" is anything, "%"
 * anything without the separator.
 *
 * Matching takes at most (bytes of the pattern) * (bytes of the name) steps,
 * whatever stars there are.
 */
#ifndef IMAPD_PATTERN_H
#define IMAPD_PATTERN_H

#include "base/arena.h"

/* No name is longer: what is matches nothing. */
#define PATTERN_NAME_MAX 1024

/* The same pattern with each run of wildcards as one of them; an empty view
 * where it is so long that no name can match. */
struct str pattern_make(struct arena *a, struct str text);

/* INBOX, and INBOX in front of a separator, matches in any case. */
bool pattern_match(struct str pattern, struct str name, char separator);

#endif
