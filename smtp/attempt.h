/*
 * attempt.h - one message and one server after the other: connect, greet, send,
 * and keep the session or part.
 */
#ifndef SMTP_ATTEMPT_H
#define SMTP_ATTEMPT_H

#include "content.h"
#include "deliver.h"
#include "target.h"

/* One delivery under way. */
struct attempt {
    struct agent *agent;
    const struct settings *settings;
    struct job *job;
    struct content content;
    struct session *session;      /* in use, or NULL */
    struct nexthop hop;           /* being tried */
    int64_t sessions;             /* with this hop that got as far as mail */
    struct sockaddr_storage used; /* the open session's server, if it is one */
    bool first;                   /* of the list: its session may be kept */
    bool final;                   /* no other next hop may be tried */
    bool broke_off; /* the last session, in TLS that is not needed */
};

/* Try that server, NULL: the socket that hop names; what came of it stands with
 * the recipients. Where TLS is not needed and fails, perhaps again without. */
void attempt_target(struct attempt *t, const struct target *target);

/* The session of the last message leads to the same next hop: go on with it,
 * unless it has ended meanwhile, or other TLS or another login is wanted. */
void attempt_open(struct attempt *t);

#endif
