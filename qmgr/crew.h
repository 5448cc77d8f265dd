/*
 * crew.h - the workers of one service that qmgr gives work to.
 *
 * Idle ones are kept, the last used first, so that surplus ones age. More are
 * asked for (want) when work has waited for a moment with nobody idle: a new
 * process for each burst of a few milliseconds would cost more than it gives.
 */
#ifndef QMGR_CREW_H
#define QMGR_CREW_H

#include "base/str.h"
#include "list.h"

struct peer;
struct timer;

struct crew {
    const char *service;
    void (*run)(struct crew *c); /* somebody is idle, or came */
    /* Nobody can be had, for `seconds` now; why is in text. May be NULL. */
    void (*missing)(struct crew *c, int64_t seconds, struct str text);
    size_t limit;     /* 0: none known */
    struct node idle; /* struct peer */
    struct node old;  /* idle too, with settings of before a reload */
    size_t peers, wanted;
    unsigned round; /* of settings */
    bool needed;    /* work waits and nobody is idle */
    int64_t pause;  /* milliseconds until we ask again after a refusal */
    int64_t alone;  /* loop time since when there is nobody; 0: not so */
    struct timer *timer;
};

void crew_init(struct crew *c, const char *service,
               void (*run)(struct crew *c));

/* The idle peer used last, or NULL; stays in the list. */
struct peer *crew_idle(const struct crew *c);

/* Work waits and nobody is idle: get somebody. */
void crew_need(struct crew *c);

/* A worker came, became idle, is given work, has gone. */
void crew_join(struct crew *c, struct peer *p);
void crew_rest(struct crew *c, struct peer *p);
void crew_take(struct crew *c, struct peer *p);
void crew_leave(struct crew *c, struct peer *p);

/* Master has none (no_peer). */
void crew_refused(struct crew *c, struct str text);

/* Let go who has been idle since before that loop time. */
void crew_thin(struct crew *c, int64_t before);

/* There are new settings: nobody gets work who has the old ones. */
void crew_renew(struct crew *c);

#endif
