/*
 * dest.h - transports and their sites, as things in memory.
 *
 * A site is kept while anything waits for it, goes on there or is remembered
 * of it (that it is dead, that an agent has an open session).
 */
#ifndef QMGR_DEST_H
#define QMGR_DEST_H

#include "base/hash.h"
#include "base/why.h"
#include "conf/conf.h"
#include "crew.h"
#include "plan.h"
#include "transport.h"

struct transport {
    char *name;
    enum transport_way way;
    bool listed;  /* master.cf has it */
    bool defers;  /* defer_transports */
    bool resting; /* between two deliveries (transport rate delay) */
    struct plan plan;
    struct crew crew;
    struct hash *dests;                             /* struct dest, by key */
    int64_t rcpt_limit, rate_delay, own_rate_delay; /* milliseconds */
    size_t sessions; /* agents that keep one open */
};

struct task;

struct dest {
    struct site site;
    struct transport *transport;
    char *key; /* lower case; "user@nexthop" where only one recipient may
                  go at a time */
    char *nexthop;
    struct task *newest; /* of those that wait */
    struct timer *timer; /* it is dead, or rests */
    size_t sessions;     /* agents that keep one open */
    bool suspended;      /* dead, and `why` says why */
    struct why why;
};

/* Recipients of a message that wait for a site. */
struct task {
    struct job job;
    struct node in_message;
    struct message *message;
    struct dest *dest;
    VEC(char) rcpts; /* rec_rcpt, packed; those before `from` are gone */
    size_t from;
};

#define task_of(j) list_item(j, struct task, job)

/* By name; NULL: master.cf never had it. */
struct transport *dest_transport(struct str name);
/* The same, made where it is new. */
struct transport *dest_make_transport(struct str name);
/* Read the limits of all again. */
void dest_configure(const struct conf *conf);
/* All of them, in order; NULL at the end. */
struct transport *dest_next_transport(size_t *pos);

/* The site of those recipients; made where it is new. */
struct dest *dest_get(struct transport *t, struct str addr, struct str nexthop);
/* The site, if there is one. */
struct dest *dest_find(const struct transport *t, struct str nexthop);
/* Forget it if nothing is to be remembered of it. */
void dest_release(struct dest *d);

/* Alive again, and nothing to wait for. */
void dest_wake(struct dest *d);
/* Tried again after the back-off. */
void dest_died(struct dest *d, struct str dsn, struct str text);
/* A delivery has ended: the rate delay, if any. */
void dest_rest(struct dest *d);

#endif
