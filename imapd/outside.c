/*
 * Deliveries, and other programs that work in a Maildir: the kernel tells that
 * something has changed in a selected mailbox, it is looked at, and idling
 * sessions hear of it within the millisecond. Other folders, of which NOTIFY
 * wants to hear, are the roster's.
 *
 * After a look there is a pause that is longer than the look has taken, so a
 * program that changes 10,000 files does not make us list them 10,000 times.
 */
#include <stdlib.h>

#include "base/log.h"
#include "indexing.h"
#include "notify.h"
#include "store/watch.h"
#include "sys/io.h"

#define PAUSE_MS 5
#define BUSY_MS  20    /* another program holds dovecot-uidlist.lock */
#define POLL_MS  10000 /* where the kernel does not tell */

struct outside {
    struct watcher *watcher; /* NULL: there is none to be had */
    struct watch *ready;
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
pause_over(void *self)
{
    struct imap *imap = self;
    struct outside *o = imap->outside;

    o->pause = NULL;
    if (o->busy)
        o->busy = look_at_all(imap);
    if (o->busy)
        o->pause = loop_after(imap->user->loop, BUSY_MS, pause_over, imap);
    if (o->ready)
        loop_change(o->ready, LOOP_READ);
}

static void
changed(void *self, unsigned events)
{
    struct imap *imap = self;
    struct outside *o = imap->outside;
    int64_t began = io_now(), ms;
    enum watch_kind kind;
    void *owner;

    (void)events;
    while ((owner = watcher_next(o->watcher, &kind)) != NULL)
        if (kind == WATCH_MAILBOX)
            o->busy |= look(imap, owner);
        else if (kind == WATCH_MESSAGES)
            roster_place_changed(imap, owner);
        else
            roster_folders_changed(imap);
    ms = 4 * (io_now() - began);
    if (ms < PAUSE_MS)
        ms = o->busy ? BUSY_MS : PAUSE_MS;
    loop_change(o->ready, 0);
    loop_cancel(o->pause);
    o->pause = loop_after(imap->user->loop, ms, pause_over, imap);
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

static enum rc
cannot(struct why *why)
{
    return fail(why, "4.3.0", "changes cannot be seen here");
}

enum rc
outside_add_messages(struct imap *imap, const struct home *home,
                     const char *path, void *owner, struct why *why)
{
    struct watcher *w = imap->outside->watcher;

    return w ? watcher_add_messages(w, home, path, owner, why) : cannot(why);
}

enum rc
outside_add_folders(struct imap *imap, const struct home *home,
                    const char *path, void *owner, struct why *why)
{
    struct watcher *w = imap->outside->watcher;

    return w ? watcher_add_folders(w, home, path, owner, why) : cannot(why);
}

void
outside_drop(struct imap *imap, const void *owner)
{
    if (imap->outside->watcher)
        watcher_drop(imap->outside->watcher, owner);
}
