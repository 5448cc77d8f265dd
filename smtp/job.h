/*
 * job.h - one request of qmgr: a message, some recipients, one next hop; and
 * what has become of each of them.
 *
 * A recipient is done when he was delivered or refused for good. Who is not
 * keeps the newest reason why, and is tried at the next server; when there is
 * none left that reason is his result.
 */
#ifndef SMTP_JOB_H
#define SMTP_JOB_H

#include "ipc/message.h"
#include "mail/envelope.h"
#include "session.h"

struct job_rcpt {
    struct rec_rcpt in;
    struct str wire; /* address as it is sent: rewritten, quoted */
    bool asked;      /* in this session */
    bool accepted;   /* in this transaction */
    bool done;
    bool softened; /* by soft_bounce */
    enum rc rc;
    int64_t action;         /* enum action */
    struct trouble trouble; /* newest; who is not done may yet succeed */
    char dsn[10];           /* of a delivery */
    struct str text;        /* what the server said to it */
    const char *relay;      /* "host[addr]:port" or "none" */
    unsigned uses;          /* of the session, for conn_use= */
};

struct job {
    const struct settings *settings;
    struct arena *arena;
    struct msg_deliver m;
    struct str sender; /* as it is sent */
    struct job_rcpt *rcpts;
    size_t count, left;          /* all; not done */
    bool site_down;              /* the next hop as a whole is out of reach */
    bool talked;                 /* a session got as far as mail */
    bool noted;                  /* the pending trouble has been logged */
    int64_t started;             /* wall clock, microseconds */
    int64_t connected;           /* session ready; 0: not yet */
    const struct origin *origin; /* for XFORWARD, read when it is needed */
};

/* NULL where the request is malformed. Views of the packet. */
struct job *job_new(const struct settings *s, struct packet *p,
                    struct arena *a);

/* Delivered: the reply just read by the session says so. */
void job_done(struct job *j, struct job_rcpt *r, const struct session *s);

/* Not delivered: final if it is PERM. */
void job_fail(struct job *j, struct job_rcpt *r, const struct trouble *t,
              const struct session *s);
/* The same for all who are not done. */
void job_fail_all(struct job *j, const struct trouble *t,
                  const struct session *s);

/* Not delivered, and no server was asked. */
void job_refuse(struct job *j, struct job_rcpt *r, const struct why *why);

/* Another transport is to deliver it, "transport:nexthop". */
void job_pass(struct job *j, struct job_rcpt *r, const char *transport);

/* There is no session because of this, for all who are not done; final, even
 * if PERM, only when there is no other way to try. */
void job_blocked(struct job *j, const struct why *why);

/* Another server will be tried: say in the log why this one did not do. */
void job_next_server(struct job *j);

/* No server is left: those who are not done get their newest reason. */
void job_finish(struct job *j);

/* Tell qmgr; keeps is the next hop of the session that stays open, or empty.
 * False where the link is gone. */
bool job_report(struct job *j, const struct link *qmgr, struct str keeps);

#endif
