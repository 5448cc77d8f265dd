#include "master.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

static bool
same_row(const struct unit *u, const struct plan_row *row)
{
    if (u->role->kind == SINGLE || row->role->kind == SINGLE)
        return u->role->kind == row->role->kind;
    return u->role == row->role && strcmp(u->name, row->row->name) == 0 &&
           str_eq(str_from(u->type), row->row->columns[COLUMN_TYPE]);
}

/* Nothing of a row that is gone runs any more. */
static bool
is_unused(const struct unit *u)
{
    return u->row == NULL && u->workers == 0 && u->template == NULL &&
           u->successor == NULL;
}

static struct unit *
find_unit(const struct plan_row *row)
{
    struct unit *unused = NULL;

    for (size_t i = 0; i < master.units.len; i++) {
        if (same_row(master.units.at[i], row))
            return master.units.at[i];
        if (is_unused(master.units.at[i]))
            unused = master.units.at[i];
    }
    if (unused == NULL && master.units.len < BOARD_CREWS) {
        unused = arena_make(master.life, struct unit);
        unused->crew = (unsigned)master.units.len;
        *vec_add(&master.units) = unused;
    }
    return unused;
}

static void
name_unit(struct unit *u, const struct plan_row *row)
{
    if (u->role && same_row(u, row))
        return;
    *u = (struct unit){.crew = u->crew, .role = row->role};
    snprintf(u->name, sizeof u->name, "%s", row->row->name);
    snprintf(u->type, sizeof u->type, "%.*s",
             STR(row->row->columns[COLUMN_TYPE]));
}

/* Their workers finish what they do; their sockets pass to the new ones. */
static void
retire_all(void)
{
    for (size_t i = 0; i < master.units.len; i++) {
        struct unit *u = master.units.at[i];

        u->row = NULL;
        u->stressed = u->pause_is_long = false;
        loop_cancel(u->pause);
        u->pause = NULL;
        loop_cancel(u->wakeup);
        u->wakeup = NULL;
        loop_cancel(u->renewal);
        u->renewal = NULL;
    }
    process_renew_all();
}

static void
close_old(struct listeners *old, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sockets_close(&old[i], true);
}

/* The old sockets are closed last: what is in both plans is open all the
 * time, and its file is not removed. */
static void
switch_plans(struct plan *plan, struct listeners *sockets)
{
    size_t before = master.units.len;
    struct listeners *old = arena_alloc(plan->life, (before + 1) * sizeof *old);

    retire_all();
    for (size_t i = 0; i < before; i++) {
        old[i] = master.units.at[i]->listeners;
        master.units.at[i]->listeners = (struct listeners){0};
    }
    for (size_t i = 0; i < plan->rows.len; i++) {
        const struct plan_row *row = &plan->rows.at[i];
        struct unit *u = find_unit(row);

        if (u == NULL)
            log_fatal("more than %d services", BOARD_CREWS);
        name_unit(u, row);
        u->row = row;
        u->listeners = sockets[i];
        if (row->role->kind == SINGLE)
            master.qmgr = u;
    }
    close_old(old, before);
}

bool
plan_apply(struct plan *plan, struct problems *p)
{
    struct listeners *sockets =
        arena_alloc(plan->life, (plan->rows.len + 1) * sizeof *sockets);
    bool good = true;

    for (size_t i = 0; i < plan->rows.len; i++)
        good = sockets_open(&plan->rows.at[i], &sockets[i], p) && good;
    if (!good) {
        for (size_t i = 0; i < plan->rows.len; i++)
            sockets_close(&sockets[i], true);
        return false;
    }
    switch_plans(plan, sockets);
    struct plan *old = master.plan;

    master.plan = plan;
    identities_watch();
    tickets_start();
    plan_free(old);
    return true;
}
