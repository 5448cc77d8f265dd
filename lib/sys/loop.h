/*
 * loop.h - the event loop of processes that hold many things at once.
 *
 * One thread, one loop, no nesting: a handler never waits. Handlers may add
 * and remove watches and timers, their own too. Signals arrive as calls, not
 * as interruptions.
 */
#ifndef SYS_LOOP_H
#define SYS_LOOP_H

#include "base/base.h"

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

struct loop;
struct watch;
struct timer;

typedef void loop_ready(void *self, unsigned events); /* LOOP_ bits; both on
                                                         hang-up or error */
typedef void loop_due(void *self);

struct loop *loop_new(void);
void loop_free(struct loop *l);

/* Watch a descriptor (level-triggered). The watch does not own it; unwatch
 * before it is closed. */
struct watch *loop_watch(struct loop *l, int fd, unsigned events,
                         loop_ready *ready, void *self);
void loop_change(struct watch *w, unsigned events);
void loop_unwatch(struct watch *w);

/* Call once after ms milliseconds. The timer is gone when it has been called
 * or cancelled. */
struct timer *loop_after(struct loop *l, int64_t ms, loop_due *due, void *self);
void loop_cancel(struct timer *t);

/* Call when that signal has come; replaces its default action. */
void loop_signal(struct loop *l, int signo, loop_due *due, void *self);

/* Called once after each round of handlers: the place to flush. */
void loop_each_round(struct loop *l, loop_due *due, void *self);

/* Monotonic milliseconds, read once a round. */
int64_t loop_now(const struct loop *l);

/* Run until loop_stop, which may have been called already. The log is flushed
 * before each wait. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);

#endif
