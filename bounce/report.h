/*
 * report.h - delivery reports (RFC 3464, 6522, 6533) and who gets them.
 */
#ifndef BOUNCE_REPORT_H
#define BOUNCE_REPORT_H

#include "conf/conf.h"
#include "daemon/produce.h"
#include "mail/template.h"
#include "queue/file.h"
#include "route/route.h"

/* One a worker. */
struct bounce {
    const struct conf *conf;
    struct router *router;
    struct template words[TEMPLATE_KINDS];
    const struct link *qmgr;
    struct packet *packet;
};

/* One request of qmgr: a message, and what is to be said of it. */
struct subject {
    struct arena *a;
    const char *id; /* of the message that is reported about */
    int fd;
    struct queue_file file;
    struct queue_result *results; /* by recipient */
    int64_t kind;                 /* enum report */
};

/* Who reads it. */
enum audience { TO_SENDER, TO_POSTMASTER, TO_POSTMASTER_COPY };

struct notice {
    const struct bounce *bounce;
    const struct subject *about;
    const struct template *words;
    enum audience audience;
    struct str from; /* envelope sender */
    struct str to;
    int64_t only; /* about this recipient alone (VERP); -1: all */
    const char *host;
};

/* Write and submit whatever reports this is to give. TEMP: try again. */
enum rc report_all(const struct bounce *b, const struct subject *s,
                   struct why *why) MUST_USE;

/* Is this recipient part of the report? */
bool report_covers(const struct notice *r, size_t index,
                   const struct rcpt *rcpt);

/* Is it in the form for addresses and headers outside ASCII (RFC 6533)? */
bool report_is_utf8(const struct notice *r);

/*
 * compose.c: the whole report goes through p->out. *flags gets the ENVELOPE_
 * bits that say what is in it. TEMP where the message cannot be read.
 */
enum rc compose(const struct notice *r, struct produce *p, unsigned *flags,
                struct why *why) MUST_USE;

/* words.c: the part for a person. UTF-8. */
struct str words_part(const struct notice *r);

/* status.c: the part for a program, from "Reporting-MTA" on. ASCII, unless
 * report_is_utf8. */
struct str status_part(const struct notice *r);

/* Foreign text as it may stand in a report: without control bytes, and with
 * "?" for bytes that are no UTF-8 (no ASCII, where `ascii`). */
struct str report_text(struct arena *a, struct str text, bool ascii);

#endif
