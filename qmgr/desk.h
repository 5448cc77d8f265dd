/*
 * desk.h - questions about messages, for the workers of one crew.
 *
 * Routes and reports are asked for in the same way: a question waits until
 * somebody is idle, is with him, and comes back when he answers or dies. Who
 * asks has a struct that begins with a struct question.
 */
#ifndef QMGR_DESK_H
#define QMGR_DESK_H

#include "crew.h"
#include "list.h"
#include "message.h"
#include "peer.h"
#include "sys/loop.h"

struct question {
    struct node in_desk;
    struct message *message; /* `waiting` meanwhile; NULL: withdrawn */
    struct peer *peer;       /* who has it; NULL: it waits for somebody */
    struct timer *timer;
};

struct desk {
    struct crew crew;
    struct node waiting, asked; /* struct question */
    /* Put it to him: desk_hand, then the packet. */
    void (*send)(struct question *q, struct peer *p);
};

void desk_init(struct desk *d, const char *service,
               void (*send)(struct question *q, struct peer *p));

/* A new one (zeroed); too_late is called with it after that time. */
void desk_ask(struct desk *d, struct question *q, struct message *m, int64_t ms,
              loop_due *too_late);
/* Put what waits to who is idle. */
void desk_run(struct desk *d);

void desk_hand(struct desk *d, struct question *q, struct peer *p);
/* Nobody has it any more; it is the next to be put to somebody. */
void desk_take_back(struct desk *d, struct question *q);

/* It is over; the caller frees it. Its message no longer waits; NULL if it
 * was withdrawn. */
struct message *desk_end(struct question *q);

/* The message's, no longer its own; NULL if it has none. Where nobody has it,
 * the caller ends it; else whoever has it does. */
struct question *desk_withdraw(struct desk *d, struct message *m);

#endif
