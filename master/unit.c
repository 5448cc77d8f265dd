#include "master.h"

#include "base/log.h"

/* A program that fails this long after the last failure starts afresh. */
#define CALM_MS    10000
#define FREE_TRIES 3
#define PAUSE_MS   100

/* ---- demand: who waits for connections, and when to start more */

bool
unit_paused(const struct unit *u)
{
    return u->pause != NULL;
}

static bool may_grow(const struct unit *u);
static void start_pause(struct unit *u, int64_t ms);

static void
someone_connects(void *self, unsigned events)
{
    struct unit *u = self;

    (void)events;
    board_looked(master.board, u->crew);
    if (may_grow(u) && !process_fork(u) && !unit_paused(u))
        start_pause(u, PAUSE_MS); /* try again, but not at once */
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

static unsigned
free_workers(const struct unit *u)
{
    return board_count(master.board, u->crew, BOARD_IDLE) +
           board_count(master.board, u->crew, BOARD_STARTING);
}

static bool
may_grow(const struct unit *u)
{
    return u->row && !master.stopping && !unit_paused(u) &&
           master.qmgr->template && u->workers < u->row->limit;
}

/* While no worker waits for connections, master does; the first one brings a
 * worker, and master goes back to sleep. */
static void
look_pool(struct unit *u)
{
    while (u->wanted > 0 && may_grow(u) && process_fork(u))
        u->wanted--;
    if (u->role->listens)
        set_watch(u, may_grow(u) && free_workers(u) == 0);
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

void
unit_look_all(void)
{
    for (size_t i = 0; i < master.units.len; i++)
        if (master.units.at[i]->role->kind != SINGLE)
            unit_look(master.units.at[i]);
}

/* As in Postfix, where log watchers look for it. */
static void
tell_limit(struct unit *u)
{
    if (u->limit_told || u->row->row->type != SERVICE_INET)
        return;
    u->limit_told = true;
    log_warn("service \"%s\" has reached its process limit \"%u\": new clients "
             "may experience noticeable delays",
             u->name, u->row->limit);
    log_warn("to avoid this condition, increase the process count in master.cf "
             "or reduce the service time per client");
}

/* A busy pool grows by several at once, or a burst would wait for as many
 * rounds as it has clients. */
void
unit_called(void)
{
    for (size_t i = 0; i < master.units.len; i++) {
        struct unit *u = master.units.at[i];
        unsigned more = 1 + u->workers / 4;

        if (u->role->kind != POOL || !u->role->listens)
            continue;
        board_looked(master.board, u->crew);
        if (u->row == NULL || free_workers(u) > 0 || u->workers == 0)
            continue;
        if (u->workers >= u->row->limit)
            tell_limit(u);
        for (more = more < 16 ? more : 16; more > 0 && may_grow(u); more--)
            if (!process_fork(u))
                break;
        unit_look(u);
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
pause_over(void *self)
{
    struct unit *u = self;

    u->pause = NULL;
    unit_look(u);
}

static void
start_pause(struct unit *u, int64_t ms)
{
    if (u->pause)
        return;
    u->pause = loop_after(master.loop, ms, pause_over, u);
    for (; u->wanted > 0; u->wanted--)
        refuse(str_from(u->name), "its program does not start; see the log");
    if (u->role->kind == POOL && u->role->listens)
        set_watch(u, false);
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
        start_pause(u, most);
        return;
    }
    if (u->failures <= FREE_TRIES)
        return;
    for (unsigned i = FREE_TRIES + 1; i < u->failures && ms < most; i++)
        ms *= 2;
    start_pause(u, ms < most ? ms : most);
}

void
unit_close_all(void)
{
    for (size_t i = 0; i < master.units.len; i++)
        sockets_close(&master.units.at[i]->listeners, true);
}
