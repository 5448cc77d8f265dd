/*
 * Deliveries and processes of other users tell where something has changed
 * (store/tell.h), and the kernel tells where other programs worked in a Maildir
 * (store/watch.h): it is looked at, and idling sessions hear of it within the
 * millisecond. Other folders, of which NOTIFY wants to hear, are the roster's.
 *
 * After a look there is a pause that is longer than the look has taken, so a
 * program that changes 10,000 files does not make us list them 10,000 times.
 */
#include <stdlib.h>

#include "base/log.h"
#include "indexing.h"
#include "notify.h"
#include "space.h"
#include "store/tell.h"
#include "store/watch.h"
#include "sys/io.h"

#define PAUSE_MS 5
#define BUSY_MS  20    /* another program holds dovecot-uidlist.lock */
#define POLL_MS  10000 /* where the kernel does not tell */
#define HEAR_MAX ((size_t)1 << 20)

/* A home whose processes tell us. */
struct ear {
    struct imap *imap;
    struct home *home;
    struct watch *ready; /* NULL: we may not listen there */
};

struct outside {
    struct watcher *watcher; /* NULL: there is none to be had */
    struct watch *ready;
    VEC(struct ear) ears;
    VEC(struct mailbox *) due; /* for a look, in `changed` */
    struct timer *pause, *poll;
    bool busy;
};

/* True where it must be looked at again. */
static bool
look(struct imap *imap, struct mailbox *box)
{
    bool busy = false;
    struct why why;

    if (mailbox_sync(box, &busy, &why) != OK)
        log_warn("imap(%.*s): %s", STR(imap->user->user), why.text);
    news_look(imap, box);
    indexing_want(imap, box);
    return busy;
}

static bool
look_at_all(struct imap *imap)
{
    bool busy = false;

    for (size_t i = 0; i < imap->sessions.len; i++)
        if (imap->sessions.at[i]->box)
            busy |= look(imap, imap->sessions.at[i]->box);
    return busy;
}

static void
listen_for(struct outside *o, unsigned events)
{
    if (o->ready)
        loop_change(o->ready, events);
    for (size_t i = 0; i < o->ears.len; i++)
        if (o->ears.at[i].ready)
            loop_change(o->ears.at[i].ready, events);
}

static void
pause_over(void *self)
{
    struct imap *imap = self;
    struct outside *o = imap->outside;

    o->pause = NULL;
    if (o->busy)
        o->busy = look_at_all(imap);
    if (o->busy)
        o->pause = loop_after(imap->user->loop, BUSY_MS, pause_over, imap);
    listen_for(o, LOOP_READ);
}

static void
rest(struct imap *imap, int64_t began)
{
    struct outside *o = imap->outside;
    int64_t ms = 4 * (io_now() - began);

    if (ms < PAUSE_MS)
        ms = o->busy ? BUSY_MS : PAUSE_MS;
    listen_for(o, 0);
    loop_cancel(o->pause);
    o->pause = loop_after(imap->user->loop, ms, pause_over, imap);
}

/* ---- where to look */

static void
add(struct outside *o, struct mailbox *box)
{
    for (size_t i = 0; i < o->due.len; i++)
        if (o->due.at[i] == box)
            return;
    *vec_add(&o->due) = box;
}

/* What the kernel tells. */
static void
see(struct imap *imap)
{
    struct outside *o = imap->outside;
    enum watch_kind kind;
    void *owner;

    while (o->watcher && (owner = watcher_next(o->watcher, &kind)) != NULL)
        if (kind == WATCH_MAILBOX)
            add(o, owner);
        else if (kind == WATCH_MESSAGES)
            roster_place_changed(imap, owner);
        else if (kind == WATCH_LIST)
            space_shares_changed(imap);
        else
            roster_folders_changed(imap);
}

/* What is selected of that home: that folder, or all (NULL). */
static void
add_selected(struct imap *imap, const struct home *home, const struct str *path)
{
    for (size_t i = 0; i < imap->sessions.len; i++) {
        struct mailbox *box = imap->sessions.at[i]->box;

        if (box && mailbox_home(box) == home &&
            (path == NULL || str_eq(mailbox_path(box), *path)))
            add(imap->outside, box);
    }
}

static void
take(const struct ear *e, const struct str *path)
{
    bool whole = path == NULL || path->len == 0;

    add_selected(e->imap, e->home, whole ? NULL : path);
    if (path == NULL || path->len > 0)
        roster_home_changed(e->imap, e->home, path);
    if (whole)
        roster_folders_changed(e->imap);
}

/* What others tell. */
static void
hear(const struct ear *e)
{
    struct arena *a = arena_new("heard", HEAR_MAX);
    struct heard heard = home_hear(e->home, a);

    if (heard.all)
        take(e, NULL);
    for (size_t i = 0; i < heard.count && !heard.all; i++)
        take(e, &heard.at[i]);
    arena_free(a);
}

/* Of a delivery both tell; it is looked at once. */
static void
changed(void *self, unsigned events)
{
    struct imap *imap = self;
    struct outside *o = imap->outside;
    int64_t began = io_now();

    (void)events;
    see(imap);
    for (size_t i = 0; i < o->ears.len; i++)
        if (o->ears.at[i].ready)
            hear(&o->ears.at[i]);
    for (size_t i = 0; i < o->due.len; i++)
        o->busy |= look(imap, o->due.at[i]);
    vec_free(&o->due);
    rest(imap, began);
}

void
outside_hear(struct imap *imap, struct home *home)
{
    struct outside *o = imap->outside;
    struct ear e = {.imap = imap, .home = home};
    struct why why;
    int fd;

    for (size_t i = 0; i < o->ears.len; i++)
        if (o->ears.at[i].home == home)
            return;
    if (home_listen(home, &fd, &why) == OK)
        e.ready = loop_watch(imap->user->loop, fd, LOOP_READ, changed, imap);
    else if (outside_is_blind(imap))
        log_warn("imap(%.*s): %s", STR(imap->user->user), why.text);
    *vec_add(&o->ears) = e;
}

void
outside_hear_no_more(struct imap *imap, const struct home *home)
{
    struct outside *o = imap->outside;

    for (size_t i = 0; i < o->ears.len; i++)
        if (o->ears.at[i].home == home) {
            loop_unwatch(o->ears.at[i].ready);
            vec_drop(&o->ears, i);
            return;
        }
}

/* Before a session waits for what may come: what came already, too. */
void
outside_look(struct session *s)
{
    struct imap *imap = s->imap;
    struct outside *o = imap->outside;

    if (!look(imap, s->box))
        return;
    o->busy = true;
    if (o->pause == NULL)
        o->pause = loop_after(imap->user->loop, BUSY_MS, pause_over, imap);
}

static void
poll(void *self)
{
    struct imap *imap = self;
    struct outside *o = imap->outside;

    o->poll = NULL;
    look_at_all(imap);
    if (imap->sessions.len > 0)
        o->poll = loop_after(imap->user->loop, POLL_MS, poll, imap);
}

void
outside_begin(struct imap *imap)
{
    struct outside *o = arena_make(imap->user->life, struct outside);
    struct why why;

    imap->outside = o;
    if (watcher_new(&o->watcher, &why) == OK)
        o->ready = loop_watch(imap->user->loop, watcher_fd(o->watcher),
                              LOOP_READ, changed, imap);
    else
        log_warn("imap(%.*s): %s", STR(imap->user->user), why.text);
}

void
outside_end(struct imap *imap)
{
    struct outside *o = imap->outside;

    for (size_t i = 0; i < o->ears.len; i++)
        home_listen_end(o->ears.at[i].home);
}

static bool
others_have_it(const struct session *s)
{
    const struct imap *imap = s->imap;

    for (size_t i = 0; i < imap->sessions.len; i++)
        if (imap->sessions.at[i] != s && imap->sessions.at[i]->box == s->box)
            return true;
    return false;
}

void
outside_watch(struct session *s)
{
    struct outside *o = s->imap->outside;
    struct why why;

    outside_hear(s->imap, mailbox_home(s->box));
    if (others_have_it(s) ||
        (o->watcher && watcher_add(o->watcher, s->box, &why) == OK))
        return;
    if (o->watcher)
        log_warn("imap(%.*s): %s", STR(s->imap->user->user), why.text);
    if (o->poll == NULL)
        o->poll = loop_after(s->imap->user->loop, POLL_MS, poll, s->imap);
}

void
outside_unwatch(struct session *s)
{
    struct outside *o = s->imap->outside;

    if (o->watcher && !others_have_it(s))
        watcher_drop(o->watcher, s->box);
}

void
outside_add_list(struct imap *imap, const char *path)
{
    struct watcher *w = imap->outside->watcher;
    struct why why;

    if (w && watcher_add_list(w, path, imap, &why) != OK)
        log_warn("imap(%.*s): %s", STR(imap->user->user), why.text);
}

bool
outside_is_blind(const struct imap *imap)
{
    return imap->outside->watcher == NULL;
}

enum rc
outside_add_messages(struct imap *imap, const struct home *home,
                     const char *path, void *owner, struct why *why)
{
    struct watcher *w = imap->outside->watcher;

    return w ? watcher_add_messages(w, home, path, owner, why) : OK;
}

enum rc
outside_add_folders(struct imap *imap, const struct home *home,
                    const char *path, void *owner, struct why *why)
{
    struct watcher *w = imap->outside->watcher;

    return w ? watcher_add_folders(w, home, path, owner, why) : OK;
}

void
outside_drop(struct imap *imap, const void *owner)
{
    if (imap->outside->watcher)
        watcher_drop(imap->outside->watcher, owner);
}
