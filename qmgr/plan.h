/*
 * plan.h - who is next: the schedule of one transport, as pure data.
 *
 * A *job* is the recipients of one message for one *site* (next hop). It is
 * delivered in batches. Sites take turns, and within a site jobs do. So that
 * a list of 10,000 recipients delays nobody, turns are given by *rank*: the
 * logarithm of the number of batches that the message has had already, so a
 * message's first batch goes before any second one. Retries stand behind all
 * of those. Every fifth turn goes to the highest rank instead: nobody starves.
 *
 * A site's window is how many deliveries to it may go on at once. It grows
 * and shrinks as in Postfix (SCHEDULER_README); a site that failed for as many
 * pseudo-cohorts as allowed is dead until plan_wake.
 */
#ifndef QMGR_PLAN_H
#define QMGR_PLAN_H

#include "list.h"

enum { PLAN_RANKS = 16, PLAN_RETRY = 8 /* first rank of retries */ };

/* How much one success or failure counts at that concurrency. */
struct plan_feedback {
    double value;
    enum { PLAN_CONSTANT, PLAN_INVERSE, PLAN_INVERSE_ROOT } kind;
};

struct plan_limits {
    int64_t initial; /* concurrency of a new site */
    int64_t most;    /* 0: no limit */
    int64_t cohorts; /* failed ones until a site is dead; 0: never */
    struct plan_feedback grow, shrink;
    int64_t retries; /* deliveries of retried messages at once */
};

struct plan {
    struct plan_limits limits;
    struct node ready[PLAN_RANKS]; /* sites that may start a delivery */
    unsigned ranks;                /* bit set of those that are not empty */
    unsigned turn;
    int64_t retries; /* going on */
};

struct site {
    struct plan *plan;
    struct node in_ready;
    int rank;                     /* of the list it stands in */
    struct node jobs[PLAN_RANKS]; /* waiting */
    unsigned ranks;
    unsigned turn;
    int64_t busy; /* deliveries going on */
    int64_t window;
    double success, failure, failed_cohorts;
    bool dead;    /* suspended: plan_wake */
    bool resting; /* between two deliveries (rate delay): plan_rest */
};

struct job {
    struct node in_site;
    struct site *site;
    int rank;               /* of the list it stands in */
    bool retry;             /* the message has been tried before */
    const unsigned *served; /* batches its message has had */
};

void plan_init(struct plan *p, const struct plan_limits *limits);
/* New limits count from the next delivery on. */
void plan_site(struct plan *p, struct site *s);
/* No job waits, nothing goes on, nothing is remembered of it. */
bool plan_site_unused(const struct site *s);

/* site, retry and served are set. */
void plan_add(struct job *j);
/* Take a waiting job back. */
void plan_remove(struct job *j);

/* Whose turn is it? NULL where nothing may start now. */
struct job *plan_pick(struct plan *p);
/* The next one at that site, out of turn. */
struct job *plan_pick_at(struct site *s);

/* A batch of a picked job starts; `more` recipients of it remain. Count the
 * batch in *served before. */
void plan_started(struct job *j, bool more);

/* How a delivery went for the site as a whole. */
enum plan_outcome { PLAN_GOOD, PLAN_DOWN, PLAN_UNKNOWN };
void plan_ended(struct site *s, bool retry, enum plan_outcome outcome);

void plan_wake(struct site *s);
void plan_rest(struct site *s, bool resting);

/* Some site may start a delivery. */
bool plan_waiting(const struct plan *p);

#endif
