/*
 * The user's folders, as long as somebody listens.
 *
 * After the kernel has told that something has changed a moment passes, so that
 * a burst is looked at once, and after a look a pause that is longer than the
 * look has taken.
 */
#include <stdlib.h>

#include "base/log.h"
#include "roster_own.h"
#include "sys/io.h"

#define PLACES_MAX 4096
#define GATHER_MS  4
#define PAUSE_MS   40
#define TURN_MS    5
#define HALF_MS    250   /* then a folder that is being made is one */
#define POLL_MS    30000 /* of namespaces that are not the user's own */

/* ---- what is there */

size_t
roster_count(const struct imap *imap)
{
    return imap->roster ? imap->roster->places.len : 0;
}

struct place *
roster_at(const struct imap *imap, size_t i)
{
    return imap->roster->places.at[i];
}

struct place *
roster_find(const struct imap *imap, struct str name)
{
    for (size_t i = 0; i < roster_count(imap); i++)
        if (str_eq(roster_at(imap, i)->f.name, name))
            return roster_at(imap, i);
    return NULL;
}

static struct told *
told_of(const struct place *p, const struct session *s)
{
    for (size_t i = 0; i < p->told.len; i++)
        if (p->told.at[i].s == s)
            return &p->told.at[i];
    return NULL;
}

struct session *
roster_listener(const struct imap *imap)
{
    for (size_t i = 0; i < imap->sessions.len; i++) {
        struct session *s = imap->sessions.at[i];

        if (s->notify && s->notify->wish_count > 0)
            return s;
    }
    return NULL;
}

/* ---- when to look */

static void work(void *self);

static void
soon(struct roster *r)
{
    int64_t now = io_now();
    int64_t ms = r->rest - now > GATHER_MS ? r->rest - now : GATHER_MS;

    if (r->timer == NULL)
        r->timer = loop_after(r->imap->user->loop, ms, work, r);
}

void
roster_folders_changed(struct imap *imap)
{
    if (imap->roster == NULL)
        return;
    imap->roster->folders = true;
    soon(imap->roster);
}

void
roster_place_changed(struct imap *imap, struct place *p)
{
    p->dirty = true;
    soon(imap->roster);
}

void
roster_name_changed(struct imap *imap, struct str name)
{
    struct place *p = roster_find(imap, name);

    if (p && p->told.len > 0)
        roster_place_changed(imap, p);
}

void
roster_home_changed(struct imap *imap, const struct home *home,
                    const struct str *path)
{
    for (size_t i = 0; i < roster_count(imap); i++) {
        struct place *p = roster_at(imap, i);

        if (p->told.len > 0 && p->home == home &&
            (path == NULL || str_eq(str_from(p->f.path), *path)))
            roster_place_changed(imap, p);
    }
}

static void
poll(void *self)
{
    struct roster *r = self;

    r->poll = NULL;
    for (size_t i = 0; outside_is_blind(r->imap) && i < r->places.len; i++)
        r->places.at[i]->dirty = true;
    roster_folders_changed(r->imap);
}

static void
poll_others(struct roster *r)
{
    if ((r->others || outside_is_blind(r->imap)) && r->poll == NULL)
        r->poll = loop_after(r->imap->user->loop, POLL_MS, poll, r);
}

/* ---- messages */

void
roster_forget(struct roster *r, struct place *p)
{
    if (p->watched)
        outside_drop(r->imap, p);
    vec_free(&p->told);
    free(p);
}

unsigned
roster_events(const struct notify *n, const struct place *p)
{
    const unsigned needed = RIGHT_LOOKUP | RIGHT_READ;

    if (n == NULL || !(p->f.bits & FOLDER_SELECTABLE) ||
        (p->rights & needed) != needed)
        return 0;
    return notify_events(n, &p->f, p->kind) & EVENTS_OF_MESSAGES;
}

static enum rc
read_status(struct roster *r, struct session *s, struct place *p,
            struct why *why)
{
    struct arena *own = session_borrow(s, r->scratch);
    struct mailbox *box;
    enum rc rc = space_open(s, p->f.name, RIGHT_LOOKUP | RIGHT_READ, &box, why);

    if (rc == OK) {
        rc = mailbox_status(box, false, &p->now, why);
        mailbox_close(box);
    }
    session_borrow(s, own);
    arena_reset(r->scratch);
    return rc;
}

static enum rc
watch(struct roster *r, struct session *s, struct place *p, struct why *why)
{
    struct arena *own;
    struct spot spot;
    enum rc rc;

    if (p->watched)
        return OK;
    own = session_borrow(s, r->scratch);
    rc = space_find(s, p->f.name, &spot, why);
    if (rc == OK)
        rc = outside_add_messages(r->imap, spot.home, p->f.path, p, why);
    session_borrow(s, own);
    p->watched = rc == OK;
    return rc;
}

static bool
is_news(const struct mailbox_status *was, const struct mailbox_status *is)
{
    return was->validity != is->validity || was->next != is->next ||
           was->messages != is->messages || was->unseen != is->unseen ||
           was->modseq != is->modseq;
}

/* Whoever knows something else than what is now has to be told. */
static void
compare_status(struct place *p)
{
    for (size_t i = 0; i < p->told.len; i++) {
        struct told *t = &p->told.at[i];

        t->due = is_news(&t->st, &p->now);
        if (t->due && t->s->notify) {
            t->s->notify->due = true;
            session_tell_soon(t->s);
        }
    }
}

enum rc
roster_listen(struct session *s, struct place *p, struct told **t,
              struct why *why)
{
    struct roster *r = s->imap->roster;
    enum rc rc = watch(r, s, p, why);

    if (rc == OK)
        rc = read_status(r, s, p, why);
    if (rc != OK)
        return rc;
    compare_status(p);
    *t = told_of(p, s);
    if (*t == NULL) {
        *t = vec_add(&p->told);
        **t = (struct told){.s = s, .st = p->now};
    }
    return OK;
}

/* As its wishes are now. Of what it begins to listen to it knows nothing. */
static void
match(struct session *s, struct place *p)
{
    unsigned events = roster_events(s->notify, p);
    struct told *t = told_of(p, s);
    struct why why;

    if (events == 0 && t) {
        vec_drop(&p->told, (size_t)(t - p->told.at));
        if (p->told.len == 0 && p->watched) {
            outside_drop(s->imap, p);
            p->watched = false;
        }
        return;
    }
    if (events == 0)
        return;
    if (t == NULL) {
        if (roster_listen(s, p, &t, &why) != OK) {
            if (why.dsn[0] == '4')
                notify_overflow(s, "Not all mailboxes can be watched");
            return;
        }
        if (p->now.next > 1)
            t->st = (struct mailbox_status){0};
    }
    t->events = events;
    compare_status(p);
}

/* What has changed is what the session itself has done, and nothing else. */
static void
know_own(struct told *t, const struct mailbox_status *now, uint32_t added,
         uint32_t removed)
{
    if (t->st.validity == now->validity && t->st.next + added == now->next &&
        t->st.messages + added == now->messages + removed)
        t->st = *now;
}

void
roster_left(struct session *s, uint32_t removed)
{
    struct place *p = s->box ? roster_find(s->imap, s->selected) : NULL;
    struct told *t = p ? told_of(p, s) : NULL;
    struct mailbox_status now;
    struct why why;

    if (t == NULL || mailbox_status(s->box, false, &now, &why) != OK)
        return;
    t->st = now;
    t->st.messages = view_count(s->view);
    t->st.next = view_next(s->view);
    t->st.modseq = view_modseq(s->view);
    if (removed > 0)
        know_own(t, &now, 0, removed);
    roster_place_changed(s->imap, p);
}

void
roster_added(struct session *s, struct str name, struct mailbox *box,
             uint32_t count)
{
    struct place *p = roster_find(s->imap, name);
    struct told *t = p ? told_of(p, s) : NULL;
    struct why why;

    if (t == NULL || mailbox_status(box, false, &p->now, &why) != OK)
        return;
    know_own(t, &p->now, count, 0);
    compare_status(p);
}

void
roster_told_unseen(struct session *s, struct str name, uint32_t unseen)
{
    struct place *p = roster_find(s->imap, name);
    struct told *t = p ? told_of(p, s) : NULL;

    if (t)
        t->st.unseen = unseen;
}

/* ---- looking */

void
roster_look(struct imap *imap, const struct session *but)
{
    struct roster *r = imap->roster;
    struct session *s = roster_listener(imap);
    struct why why;

    if (r == NULL || s == NULL || r->held > 0)
        return;
    r->folders = false;
    if (roster_compare(r, s, but, &why) != OK) {
        log_warn("imap(%.*s): %s", STR(imap->user->user), why.text);
        return;
    }
    for (size_t i = 0; i < imap->sessions.len; i++)
        for (size_t k = 0; imap->sessions.at[i]->notify && k < r->places.len;
             k++)
            match(imap->sessions.at[i], r->places.at[k]);
    roster_compare_notes(r, but);
    poll_others(r);
    if (r->half) {
        r->rest = io_now() + HALF_MS;
        roster_folders_changed(imap);
    }
}

/* False where the turn is over. A mailbox that may no longer be looked at has
 * gone, or the user has lost his right to it. */
static bool
look_at_places(struct roster *r, int64_t began)
{
    for (size_t i = 0; i < r->places.len; i++) {
        struct place *p = r->places.at[i];
        struct why why;

        if (!p->dirty)
            continue;
        if (io_now() - began >= TURN_MS)
            return false;
        p->dirty = false;
        if (p->told.len == 0)
            continue;
        if (watch(r, p->told.at[0].s, p, &why) == OK &&
            read_status(r, p->told.at[0].s, p, &why) == OK)
            compare_status(p);
        else
            r->folders = true;
    }
    return true;
}

static void
work(void *self)
{
    struct roster *r = self;
    int64_t began = io_now(), spent;
    bool folders = r->folders;

    r->timer = NULL;
    if (r->held > 0) {
        soon(r);
        return;
    }
    if (folders)
        roster_look(r->imap, NULL);
    if (!look_at_places(r, began)) {
        if (r->timer == NULL)
            r->timer = loop_after(r->imap->user->loop, 0, work, r);
        return;
    }
    spent = 4 * (io_now() - began);
    if (r->rest < io_now() + PAUSE_MS)
        r->rest = io_now() + (spent > PAUSE_MS ? spent : PAUSE_MS);
    if (r->folders)
        soon(r);
}

/* ---- as long as somebody listens */

static void
close_roster(struct roster *r)
{
    r->imap->roster = NULL;
    outside_drop(r->imap, r);
    for (size_t i = 0; i < r->places.len; i++)
        roster_forget(r, r->places.at[i]);
    vec_free(&r->places);
    if (r->notes)
        hash_free(r->notes);
    loop_cancel(r->timer);
    loop_cancel(r->poll);
    arena_free(r->names);
    arena_free(r->scratch);
    free(r);
}

static enum rc
open_roster(struct session *s, struct why *why)
{
    struct roster *r = calloc(1, sizeof *r);
    enum rc rc;

    must(r != NULL);
    r->imap = s->imap;
    r->names = arena_new("folders", ROSTER_LIST_MAX);
    r->scratch = arena_new("roster", ROSTER_LIST_MAX);
    s->imap->roster = r;
    rc = outside_add_folders(s->imap, s->imap->home, ".", r, why);
    if (rc == OK)
        rc = roster_compare(r, s, NULL, why);
    r->half = false;
    if (rc != OK)
        close_roster(r);
    else
        poll_others(r);
    return rc;
}

enum rc
roster_begin(struct session *s, struct why *why)
{
    struct roster *r = s->imap->roster;
    enum rc rc = OK;

    if (r)
        roster_look(s->imap, NULL);
    else
        rc = open_roster(s, why);
    if (rc == OK && s->imap->roster->places.len > PLACES_MAX)
        rc = fail(why, "5.3.4", "there are too many mailboxes");
    if (rc == OK)
        s->imap->roster->held++;
    else if (s->imap->roster)
        roster_settle(s);
    return rc;
}

void
roster_end(struct session *s)
{
    s->imap->roster->held--;
    roster_settle(s);
}

void
roster_settle(struct session *s)
{
    struct roster *r = s->imap->roster;

    if (r == NULL)
        return;
    for (size_t i = 0; i < r->places.len; i++)
        match(s, r->places.at[i]);
    if (r->held > 0)
        return;
    if (roster_listener(s->imap))
        roster_compare_notes(r, NULL);
    else
        close_roster(r);
}
