/*
 * deliver.h - from a request of qmgr to its results: next hops in turn, their
 * servers in turn, sessions that are kept for the next request.
 */
#ifndef SMTP_DELIVER_H
#define SMTP_DELIVER_H

#include "job.h"

struct agent {
    const struct settings *settings;
    const struct own *own;
    struct dns *dns;
    struct arena *request; /* reset with each request */
    struct arena *talk;    /* reset with each session */
    struct arena *field;   /* reset with each header field */
    struct session *open;  /* kept for the next request, or NULL */
    const char *nexthop;   /* that it was opened for */
};

/* Once, at start. */
enum rc agent_open(struct agent *g, struct arena *life, const struct conf *conf,
                   bool lmtp, char **args, struct why *why) MUST_USE;

/* Deliver and report. False where the request is malformed or qmgr gone. */
bool deliver_request(struct agent *g, const struct link *qmgr,
                     struct packet *p);

/* Nobody needs the open session any more. */
void deliver_close(struct agent *g);

#endif
