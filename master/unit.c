#include "master.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

/* A program that fails this long after the last failure starts afresh. */
#define CALM_MS    10000
#define FREE_TRIES 3
#define PAUSE_MS   100
#define LONG_MS    1000  /* clients are refused, not kept waiting */
#define STRESS_MS  60000 /* overload is over after that long without it */
#define GROW_MAX   16
#define RENEW_MS   10000

/* ---- demand: who waits for connections, and when to start more */

bool
unit_paused(const struct unit *u)
{
    return u->pause != NULL;
}

static unsigned
free_workers(const struct unit *u)
{
    return board_count(master.board, u->crew, BOARD_IDLE) +
           board_count(master.board, u->crew, BOARD_STARTING);
}

/* A template whose link has ended is about to be reaped. */
static bool
is_ending(const struct process *p)
{
    return p && p->link.fd < 0;
}

bool
unit_is_full(const struct unit *u)
{
    return u->workers - u->lingering >= u->row->limit;
}

static bool
may_grow(const struct unit *u)
{
    return u->row && !master.stopping && !unit_paused(u) &&
           master.qmgr->template && !is_ending(master.qmgr->template) &&
           !is_ending(u->template) && !unit_is_full(u);
}

/* Nobody can serve clients for some time: they shall not wait, but come back.
 * Not a byte of theirs is read. */
static bool
must_refuse(const struct unit *u)
{
    return u->row && u->row->row->type == SERVICE_INET && !master.stopping &&
           (u->pause_is_long || master.qmgr->pause_is_long);
}

static void
refuse_client(int listen)
{
    auto_close int fd =
        accept4(listen, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    char text[512];
    int len = snprintf(text, sizeof text,
                       "421 4.3.0 %s Service not available, try again later"
                       "\r\n",
                       master.plan->conf->myhostname);

    if (fd >= 0 && (size_t)len < sizeof text)
        (void)!send(fd, text, (size_t)len, MSG_NOSIGNAL);
}

static void
someone_connects(void *self, unsigned events)
{
    struct unit *u = self;

    (void)events;
    board_looked(master.board, u->crew);
    if (must_refuse(u))
        for (size_t i = 0; i < u->listeners.list.len; i++)
            refuse_client(u->listeners.list.at[i].fd);
    else if (may_grow(u) && !process_fork(u) && !unit_paused(u))
        unit_pause(u, PAUSE_MS); /* try again, but not at once */
    unit_look(u);
}

static void
set_watch(struct unit *u, bool on)
{
    for (size_t i = 0; i < u->listeners.list.len; i++) {
        struct listener *l = &u->listeners.list.at[i];

        if (on && l->watch == NULL)
            l->watch =
                loop_watch(master.loop, l->fd, LOOP_READ, someone_connects, u);
        else if (!on && l->watch) {
            loop_unwatch(l->watch);
            l->watch = NULL;
        }
    }
}

/* While no worker waits for connections, master does; the first one brings a
 * worker, and master goes back to sleep. */
static void
look_pool(struct unit *u)
{
    while (u->wanted > 0 && may_grow(u) && process_fork(u))
        u->wanted--;
    if (!u->role->listens)
        return;
    if (may_grow(u))
        board_looked(master.board, u->crew);
    set_watch(u, free_workers(u) == 0 && (may_grow(u) || must_refuse(u)));
}

void
unit_look(struct unit *u)
{
    if (u->role->kind == POOL) {
        look_pool(u);
        return;
    }
    if (u->role->kind == SINGLE && u->row && !master.stopping &&
        !unit_paused(u) && u->template == NULL && process_start(u))
        unit_look_all();
}

/* A connection wakes one worker; if that one was killed or told to end just
 * then, the others sleep on. A new one looks for itself. */
void
unit_rescue(struct unit *u)
{
    for (size_t i = 0; i < u->listeners.list.len; i++) {
        struct pollfd p = {u->listeners.list.at[i].fd, POLLIN, 0};

        if (poll(&p, 1, 0) == 1 && may_grow(u)) {
            process_fork(u);
            return;
        }
    }
}

void
unit_look_all(void)
{
    for (size_t i = 0; i < master.units.len; i++)
        if (master.units.at[i]->role->kind != SINGLE)
            unit_look(master.units.at[i]);
}

/* Workers that start from now on have the other settings. */
static void
set_stress(struct unit *u, bool on)
{
    if (u->stressed == on)
        return;
    u->stressed = on;
    if (u->template)
        process_retire(u->template);
}

/* All processes are busy. As in Postfix, where log watchers look for it. */
static void
tell_limit(struct unit *u)
{
    bool again = u->full && loop_now(master.loop) - u->full < STRESS_MS;

    u->full = loop_now(master.loop);
    if (again || u->row->row->type != SERVICE_INET)
        return;
    log_warn("service \"%s\" has reached its process limit \"%u\": new clients "
             "may experience noticeable delays",
             u->name, u->row->limit);
    log_warn("to avoid this condition, increase the process count in master.cf "
             "or reduce the service time per client");
    set_stress(u, u->row->stressed >= 0);
}

/* A busy pool grows by several at once, or a burst would wait for as many
 * rounds as it has clients. */
static void
grow(struct unit *u)
{
    unsigned more = 1 + u->workers / 4;

    if (u->stressed && loop_now(master.loop) - u->full > STRESS_MS)
        set_stress(u, false);
    for (more = more < GROW_MAX ? more : GROW_MAX; more > 0 && may_grow(u);
         more--)
        if (!process_fork(u))
            break;
    unit_look(u);
}

static void
renew(void *self)
{
    struct unit *u = self;

    u->renewal = NULL;
    if (strcmp(u->role->name, "keys") == 0)
        process_replace(u); /* and its clients are told when it is ready */
    else
        process_renew(u);
    unit_look(u);
}

/* Tables that change all the time must not cost a program start each time;
 * workers see the new contents anyway, but for what only root can read. */
static void
renew_soon(struct unit *u)
{
    int64_t age =
        u->template ? loop_now(master.loop) - u->template->started : 0;

    if (u->row && u->template && u->renewal == NULL)
        u->renewal = loop_after(master.loop,
                                age < RENEW_MS ? RENEW_MS - age : 0, renew, u);
}

void
unit_called(void)
{
    for (size_t i = 0; i < master.units.len; i++) {
        struct unit *u = master.units.at[i];

        if (board_take_renewal(master.board, u->crew))
            renew_soon(u);
        if (u->role->kind != POOL || !u->role->listens || u->row == NULL)
            continue;
        if (unit_is_full(u) && free_workers(u) == 0) {
            tell_limit(u); /* and hear no more of it until one has ended */
            continue;
        }
        board_looked(master.board, u->crew);
        if (u->workers > 0 && free_workers(u) == 0)
            grow(u);
    }
}

static struct unit *
unit_named(struct str name)
{
    for (size_t i = 0; i < master.units.len; i++) {
        struct unit *u = master.units.at[i];

        if (u->row && u->role->kind == POOL && !u->role->listens &&
            str_eq(str_from(u->name), name))
            return u;
    }
    return NULL;
}

static void
refuse(struct str service, const char *text)
{
    struct msg_no_peer m = {.service = service, .text = str_from(text)};

    if (master.qmgr->template &&
        !send_no_peer(&master.qmgr->template->link, &m))
        log_warn("cannot answer qmgr: %m");
}

void
unit_want(struct str service)
{
    struct unit *u = unit_named(service);

    if (u == NULL)
        refuse(service, "unknown service");
    else if (unit_paused(u))
        refuse(service, "its program does not start; see the log");
    else if (!may_grow(u) || !process_fork(u))
        u->wanted++;
}

/* ---- failures */

static void
look_after_pause(struct unit *u)
{
    if (u == master.qmgr)
        unit_look_all();
    unit_look(u);
}

static void
pause_over(void *self)
{
    struct unit *u = self;

    u->pause = NULL;
    u->pause_is_long = false;
    look_after_pause(u);
}

void
unit_pause(struct unit *u, int64_t ms)
{
    if (u->pause)
        return;
    u->pause = loop_after(master.loop, ms, pause_over, u);
    u->pause_is_long = ms >= LONG_MS;
    for (; u->wanted > 0; u->wanted--)
        refuse(str_from(u->name), "its program does not start; see the log");
    look_after_pause(u);
}

/* One that dies is replaced at once; one that goes on dying, after pauses
 * that double; one that cannot even start, after the whole pause. */
void
unit_failed(struct unit *u, bool at_start)
{
    int64_t now = loop_now(master.loop);
    int64_t most = master.plan->conf->service_throttle_time;
    int64_t ms = PAUSE_MS;

    if (now - u->failed > CALM_MS)
        u->failures = 0;
    u->failed = now;
    u->failures++;
    if (at_start) {
        log_warn("%s: bad command startup -- throttling for %d s: what is "
                 "wrong stands above, in the line of %s/%s",
                 plan_program(master.plan, u->role), (int)(most / 1000),
                 master.plan->conf->syslog_name, u->role->name);
        unit_pause(u, most);
        return;
    }
    if (u->failures <= FREE_TRIES)
        return;
    for (unsigned i = FREE_TRIES + 1; i < u->failures && ms < most; i++)
        ms *= 2;
    unit_pause(u, ms < most ? ms : most);
}

void
unit_close_all(void)
{
    for (size_t i = 0; i < master.units.len; i++)
        sockets_close(&master.units.at[i]->listeners, true);
}
