#include "sys/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/vec.h"

struct watch {
    struct loop *loop;
    struct watch *next_dead;
    int fd;
    bool dead;
    loop_ready *ready;
    void *self;
};

/* Timers stand in a binary heap by time, and then by age; each knows its place.
 */
struct timer {
    struct loop *loop;
    int64_t at;
    uint64_t number;
    size_t place;
    loop_due *due;
    void *self;
};

struct loop {
    int epoll, signals;
    sigset_t caught;
    struct watch *signal_watch, *dead;
    VEC(struct timer *) heap;
    uint64_t made; /* timers */
    struct {
        loop_due *due;
        void *self;
    } on_signal[65], round;
    int64_t now;
    bool stopping;
};

static int64_t
clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void *
zeroed(size_t size)
{
    void *p = calloc(1, size);

    if (p == NULL)
        log_fatal("out of memory in the event loop");
    return p;
}

struct loop *
loop_new(void)
{
    struct loop *l = zeroed(sizeof *l);

    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll < 0)
        log_fatal("epoll_create: %m");
    l->signals = -1;
    sigemptyset(&l->caught);
    l->now = clock_ms();
    return l;
}

static void
bury(struct loop *l)
{
    while (l->dead) {
        struct watch *w = l->dead;

        l->dead = w->next_dead;
        free(w);
    }
}

void
loop_free(struct loop *l)
{
    if (l->signal_watch)
        loop_unwatch(l->signal_watch);
    bury(l);
    for (size_t i = 0; i < l->heap.len; i++)
        free(l->heap.at[i]);
    vec_free(&l->heap);
    if (l->signals >= 0)
        close(l->signals);
    close(l->epoll);
    free(l);
}

static uint32_t
epoll_bits(unsigned events)
{
    return (events & LOOP_READ ? EPOLLIN : 0u) |
           (events & LOOP_WRITE ? EPOLLOUT : 0u);
}

struct watch *
loop_watch(struct loop *l, int fd, unsigned events, loop_ready *ready,
           void *self)
{
    struct watch *w = zeroed(sizeof *w);
    struct epoll_event e = {.events = epoll_bits(events), .data.ptr = w};

    *w = (struct watch){.loop = l, .fd = fd, .ready = ready, .self = self};
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
        log_fatal("cannot watch descriptor %d: %m", fd);
    return w;
}

void
loop_change(struct watch *w, unsigned events)
{
    struct epoll_event e = {.events = epoll_bits(events), .data.ptr = w};

    must(epoll_ctl(w->loop->epoll, EPOLL_CTL_MOD, w->fd, &e) == 0);
}

/* The memory stays until the round ends: epoll may have reported it already. */
void
loop_unwatch(struct watch *w)
{
    if (w == NULL || w->dead)
        return;
    epoll_ctl(w->loop->epoll, EPOLL_CTL_DEL, w->fd, NULL);
    w->dead = true;
    w->next_dead = w->loop->dead;
    w->loop->dead = w;
}

static void
put(struct loop *l, size_t place, struct timer *t)
{
    l->heap.at[place] = t;
    t->place = place;
}

static bool
is_before(const struct timer *a, const struct timer *b)
{
    return a->at < b->at || (a->at == b->at && a->number < b->number);
}

static void
sift_up(struct loop *l, struct timer *t)
{
    size_t i = t->place;

    for (; i > 0 && is_before(t, l->heap.at[(i - 1) / 2]); i = (i - 1) / 2)
        put(l, i, l->heap.at[(i - 1) / 2]);
    put(l, i, t);
}

static void
sift_down(struct loop *l, struct timer *t)
{
    size_t i = t->place, child;

    while ((child = 2 * i + 1) < l->heap.len) {
        if (child + 1 < l->heap.len &&
            is_before(l->heap.at[child + 1], l->heap.at[child]))
            child++;
        if (is_before(t, l->heap.at[child]))
            break;
        put(l, i, l->heap.at[child]);
        i = child;
    }
    put(l, i, t);
}

struct timer *
loop_after(struct loop *l, int64_t ms, loop_due *due, void *self)
{
    struct timer *t = zeroed(sizeof *t);

    *t = (struct timer){.loop = l,
                        .at = l->now + (ms > 0 ? ms : 0),
                        .number = l->made++,
                        .due = due,
                        .self = self};
    *vec_add(&l->heap) = t;
    t->place = l->heap.len - 1;
    sift_up(l, t);
    return t;
}

static void
take_out(struct timer *t)
{
    struct loop *l = t->loop;
    struct timer *last = l->heap.at[--l->heap.len];

    if (last != t) {
        put(l, t->place, last);
        sift_up(l, last);
        sift_down(l, last);
    }
}

void
loop_cancel(struct timer *t)
{
    if (t == NULL)
        return;
    take_out(t);
    free(t);
}

static void
signals_ready(void *self, unsigned events)
{
    struct loop *l = self;
    struct signalfd_siginfo info;

    (void)events;
    while (read(l->signals, &info, sizeof info) == sizeof info)
        if (info.ssi_signo < COUNT(l->on_signal) &&
            l->on_signal[info.ssi_signo].due)
            l->on_signal[info.ssi_signo].due(l->on_signal[info.ssi_signo].self);
}

void
loop_signal(struct loop *l, int signo, loop_due *due, void *self)
{
    must(signo > 0 && (size_t)signo < COUNT(l->on_signal));
    l->on_signal[signo].due = due;
    l->on_signal[signo].self = self;
    sigaddset(&l->caught, signo);
    sigprocmask(SIG_BLOCK, &l->caught, NULL);

    int fd = signalfd(l->signals, &l->caught, SFD_NONBLOCK | SFD_CLOEXEC);

    if (fd < 0)
        log_fatal("signalfd: %m");
    if (l->signals < 0) {
        l->signals = fd;
        l->signal_watch = loop_watch(l, fd, LOOP_READ, signals_ready, l);
    }
}

void
loop_each_round(struct loop *l, loop_due *due, void *self)
{
    l->round.due = due;
    l->round.self = self;
}

int64_t
loop_now(const struct loop *l)
{
    return l->now;
}

static void
run_timers(struct loop *l)
{
    uint64_t made = l->made;

    while (l->heap.len > 0 && !l->stopping) {
        /* The analyzer does not see that take_out takes out. */
        struct timer *t = l->heap.at[0];

        /* One that sets itself again with no delay waits for the next round. */
        if (t->at > l->now || /* NOLINT(clang-analyzer-unix.Malloc) */
            t->number >= made)
            return;
        loop_due *due = t->due;
        void *self = t->self;

        take_out(t);
        free(t);
        due(self);
    }
}

static int
wait_ms(const struct loop *l)
{
    if (l->heap.len == 0)
        return -1;
    int64_t ms = l->heap.at[0]->at - l->now; /* NOLINT(clang-analyzer-*) */

    return ms < 0 ? 0 : ms > 3600000 ? 3600000 : (int)ms;
}

static void
round_once(struct loop *l)
{
    struct epoll_event ready[64];

    log_flush();
    int n = epoll_wait(l->epoll, ready, COUNT(ready), wait_ms(l));

    l->now = clock_ms();
    if (n < 0 && errno != EINTR)
        log_fatal("epoll_wait: %m");
    for (int i = 0; i < n; i++) {
        struct watch *w = ready[i].data.ptr;
        uint32_t e = ready[i].events;
        bool hurt = e & (EPOLLHUP | EPOLLERR);

        if (!w->dead)
            w->ready(w->self, (e & EPOLLIN || hurt ? LOOP_READ : 0u) |
                                  (e & EPOLLOUT || hurt ? LOOP_WRITE : 0u));
    }
    run_timers(l);
    if (l->round.due)
        l->round.due(l->round.self);
    bury(l);
}

void
loop_run(struct loop *l)
{
    while (!l->stopping)
        round_once(l);
    l->stopping = false;
    log_flush();
}

void
loop_stop(struct loop *l)
{
    l->stopping = true;
}
