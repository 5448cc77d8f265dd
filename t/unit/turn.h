/*
 * turn.h - a test on both sides of an event loop: let it do what is due.
 */
#ifndef UNIT_TURN_H
#define UNIT_TURN_H

#include "sys/loop.h"

static inline void
turn_over(void *loop)
{
    loop_stop(loop);
}

static inline void
turn_loop(struct loop *l)
{
    loop_after(l, 5, turn_over, l);
    loop_run(l);
}

#endif
