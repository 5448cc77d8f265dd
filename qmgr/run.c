#include "run.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "draft.h"
#include "load.h"
#include "mail/address.h"
#include "mem.h"
#include "message.h"
#include "qmgr.h"
#include "queue/spool.h"
#include "transport.h"

#define NAMES_A_SLICE 500 /* of folders, with a stat each: about 1 ms */
#define LOADS_A_ROUND 50
#define FLUSH_A_SLICE 2000 /* entries, in memory */
#define LOADS_A_SLICE 50   /* entries whose file must be read */
#define SITES_MAX     100
#define TIMER_MAX_MS  60000

static struct {
    struct spool_walk walk;
    void (*found)(void);
    bool flushing;
    struct timer *due, *more, *flush;
    int64_t armed; /* for which due time */
    uint32_t flush_pos;
    VEC(char *) sites; /* to be flushed, one after the other */
    uint32_t site_pos;
} own;

int64_t
run_backoff(int64_t age)
{
    int64_t wait = age;

    if (wait > qmgr.conf->maximal_backoff_time)
        wait = qmgr.conf->maximal_backoff_time;
    if (wait < qmgr.conf->minimal_backoff_time)
        wait = qmgr.conf->minimal_backoff_time;
    return wait + random() % (wait / 10 + 1); /* not all at once */
}

/* ---- what is there at the start */

static void
add_deferred(struct entry *e)
{
    char path[SPOOL_PATH_MAX];
    struct stat st;
    int64_t now = now_ms(), tried = now, arrived;

    spool_path(SPOOL_DEFERRED, shelf_id(e), e->seal, path);
    if (fstatat(qmgr.dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
        tried = (int64_t)st.st_mtim.tv_sec * 1000;
    if (tried > now)
        tried = now;
    arrived = (int64_t)queue_id_time(shelf_id(e), (uint64_t)now * 1000) / 1000;
    shelf_set(qmgr.shelf, e, SHELF_DUE, tried + run_backoff(tried - arrived));
}

/* The folder changes while it is read: a file of today may be gone again. */
static bool
is_new(struct queue_id id, int64_t seal)
{
    char path[SPOOL_PATH_MAX];

    return draft_is_ours(id) ||
           faccessat(qmgr.dir, spool_path(SPOOL_INCOMING, id, seal, path), F_OK,
                     AT_SYMLINK_NOFOLLOW) < 0;
}

static void
add_found(struct queue_id id, int64_t seal)
{
    enum spool_folder folder = own.walk.folder;
    struct entry *e;

    if (folder == SPOOL_INCOMING && is_new(id, seal))
        return;
    e = shelf_add(qmgr.shelf, id, seal);
    if (e == NULL) {
        char text[QUEUE_ID_MAX];

        log_warn("two queue files have the id %s; the one in %s is left alone",
                 queue_id_text(id, text), spool_folder_name(folder));
        return;
    }
    e->folder = (uint8_t)folder;
    if (folder == SPOOL_INCOMING)
        shelf_set(qmgr.shelf, e, SHELF_FRESH, 0);
    else if (folder == SPOOL_HOLD)
        shelf_set(qmgr.shelf, e, SHELF_HELD, 0);
    else
        add_deferred(e);
}

static bool
next_folder(void)
{
    static const enum spool_folder order[] = {SPOOL_INCOMING, SPOOL_HOLD,
                                              SPOOL_DEFERRED};

    if (own.walk.strange)
        log_warn("%zu files in the queue folder %s are none of ours and are "
                 "left alone",
                 own.walk.strange, spool_folder_name(own.walk.folder));
    for (size_t i = 0; i + 1 < COUNT(order); i++)
        if (order[i] == own.walk.folder) {
            own.walk = spool_walk(qmgr.dir, order[i + 1]);
            return true;
        }
    return false;
}

static void
read_slice(void *self)
{
    struct queue_id id;
    int64_t seal;

    (void)self;
    for (int i = 0; i < NAMES_A_SLICE; i++) {
        if (spool_next(&own.walk, &id, &seal)) {
            add_found(id, seal);
            continue;
        }
        if (!next_folder()) {
            own.found();
            return;
        }
    }
    loop_after(qmgr.loop, 0, read_slice, NULL);
}

void
run_start(void (*found)(void))
{
    own.found = found;
    own.walk = spool_walk(qmgr.dir, SPOOL_INCOMING);
    read_slice(NULL);
}

/* ---- whose turn it is */

/* New mail has the last eighth of the room for itself. */
static bool
room_for_retries(void)
{
    size_t limit = (size_t)qmgr.conf->qmgr_message_active_limit;

    return message_room() &&
           shelf_count(qmgr.shelf, SHELF_ACTIVE) < limit - limit / 8;
}

static struct entry *
next_entry(void)
{
    struct entry *e = message_room() ? shelf_fresh(qmgr.shelf) : NULL;

    if (e || !room_for_retries())
        return e;
    e = shelf_due(qmgr.shelf);
    return e && e->due <= now_ms() ? e : NULL;
}

static void
wake_up(void *self)
{
    struct timer **timer = self;

    *timer = NULL;
    own.armed = 0;
}

static void
arm(void)
{
    struct entry *e = shelf_due(qmgr.shelf);
    int64_t ms;

    if (e == NULL || (own.due && own.armed == e->due) || !room_for_retries())
        return;
    loop_cancel(own.due);
    own.armed = e->due;
    ms = e->due - now_ms();
    own.due = loop_after(qmgr.loop, ms > TIMER_MAX_MS ? TIMER_MAX_MS : ms,
                         wake_up, &own.due);
}

void
run_round(void)
{
    struct entry *e;

    if (qmgr.stopping)
        return;
    for (int i = 0; i < LOADS_A_ROUND && (e = next_entry()); i++) {
        message_begin(e, -1);
        arena_reset(qmgr.scratch);
    }
    if (next_entry() && own.more == NULL)
        own.more = loop_after(qmgr.loop, 0, wake_up, &own.more);
    arm();
}

void
run_due_changed(void)
{
    own.armed = 0;
}

/* ---- flushing */

static void
flush_slice(void *self)
{
    (void)self;
    for (int i = 0; i < FLUSH_A_SLICE; i++) {
        struct entry *e = shelf_next(qmgr.shelf, &own.flush_pos);

        if (e == NULL) {
            own.flushing = false;
            return;
        }
        run_flush_one(e);
    }
    loop_after(qmgr.loop, 0, flush_slice, NULL);
}

void
run_flush(void)
{
    transport_wake(S(""));
    own.flush_pos = 0;
    if (own.flushing)
        return;
    own.flushing = true;
    flush_slice(NULL);
}

void
run_flush_one(struct entry *e)
{
    if (e->state == SHELF_DUE)
        shelf_set(qmgr.shelf, e, SHELF_DUE, now_ms());
    run_due_changed();
}

/* Does the message have recipients there? */
static bool
goes_to(struct entry *e, struct str site)
{
    struct queue_file f;
    struct queue_cursor c;
    struct rcpt r;
    int fd = -1;
    bool found = false;

    if (!load_entry(e, &fd, &f))
        return false;
    auto_close int file = fd;

    (void)file;
    e->sites = 0;
    for (c = queue_rcpts(&f); queue_next(&c, &r);) {
        struct str domain = address_domain(r.addr);

        if (queue_state_of(&f, c.next - 1) > QUEUE_DEFERRED)
            continue;
        e->sites |= shelf_site(domain) | shelf_site(r.nexthop);
        found |= str_ieq(domain, site) || str_ieq(r.nexthop, site);
    }
    return found;
}

static void
next_site(void)
{
    mem_free(own.sites.at[0]);
    own.sites.len--;
    memmove(own.sites.at, own.sites.at + 1,
            own.sites.len * sizeof *own.sites.at);
    own.site_pos = 0;
}

static void
site_slice(void *self)
{
    int loads = 0;

    (void)self;
    own.flush = NULL;
    for (int i = 0; i < FLUSH_A_SLICE && loads < LOADS_A_SLICE; i++) {
        struct str site = str_from(own.sites.at[0]);
        struct entry *e = shelf_next(qmgr.shelf, &own.site_pos);

        if (e == NULL) {
            next_site();
            if (own.sites.len == 0)
                return;
        } else if (e->state == SHELF_DUE &&
                   (e->sites == 0 || e->sites & shelf_site(site))) {
            loads++;
            if (goes_to(e, site))
                run_flush_one(e);
            arena_reset(qmgr.scratch);
        }
    }
    own.flush = loop_after(qmgr.loop, 0, site_slice, NULL);
}

void
run_flush_site(struct str site)
{
    char *copy;

    transport_wake(site);
    for (size_t i = 1; i < own.sites.len; i++)
        if (str_ieq(str_from(own.sites.at[i]), site))
            return;
    if (site.len == 0 || own.sites.len >= SITES_MAX)
        return;
    copy = mem_new(site.len + 1);
    memcpy(copy, site.p, site.len);
    *vec_add(&own.sites) = copy;
    if (own.flush == NULL)
        own.flush = loop_after(qmgr.loop, 0, site_slice, NULL);
}
