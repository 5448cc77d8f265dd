/*
 * turn.h - a test on both sides of an event loop: let it do what is due.
 *
 * In rounds, not in milliseconds: a busy machine gets as far in them.
 */
#ifndef UNIT_TURN_H
#define UNIT_TURN_H

#include "sys/loop.h"

struct turn {
    struct loop *loop;
    int rounds;
};

static inline void
turn_round(void *own)
{
    struct turn *t = own;

    if (--t->rounds == 0)
        loop_stop(t->loop);
    else
        loop_after(t->loop, 0, turn_round, t);
}

static inline void
turn_loop(struct loop *l)
{
    struct turn t = {l, 50};

    loop_after(l, 0, turn_round, &t);
    loop_run(l);
}

#endif
