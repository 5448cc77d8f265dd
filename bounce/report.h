/*
 * report.h - delivery reports (RFC 3464, 6522, 6533) and who gets them.
 */
#ifndef BOUNCE_REPORT_H
#define BOUNCE_REPORT_H

#include "conf/conf.h"
#include "daemon/produce.h"
#include "queue/file.h"
#include "route/route.h"

/* One a worker. */
struct bounce {
    const struct conf *conf;
    struct router *router;
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

/* compose.c: the whole message goes through p->out. */
void compose(const struct notice *r, struct produce *p);

/* status.c: the machine-readable part, from "Reporting-MTA" on. */
struct str status_part(const struct notice *r);

#endif
