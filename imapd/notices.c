#include <stdlib.h>
#include <string.h>

#include "mail/imap_text.h"
#include "notify.h"
#include "status.h"

#define NOTICES_MAX 2000 /* that a client may leave unread */

static bool
same(const char *have, struct str text)
{
    return have ? str_eq(str_from(have), text) : text.p == NULL;
}

void
notify_overflow(struct session *s, const char *why)
{
    s->notify->overflow = why;
    session_tell_soon(s);
}

static void
add(struct session *s, struct str name, struct str old, struct str entry)
{
    struct notify *n = s->notify;

    if (n->overflow)
        return;
    for (size_t i = n->told; i < n->notices.len; i++) {
        const struct notice *x = &n->notices.at[i];

        if (same(x->name, name) && same(x->old, old) && same(x->entry, entry))
            return;
    }
    if (n->notices.len - n->told == NOTICES_MAX) {
        notify_overflow(s, "Too much has happened");
        return;
    }
    *vec_add(&n->notices) = (struct notice){
        .name = str_dup(name),
        .old = old.p ? str_dup(old) : NULL,
        .entry = entry.p ? str_dup(entry) : NULL,
    };
    session_tell_soon(s);
}

static struct str
parent_of(const struct session *s, struct str name)
{
    ssize_t at = str_rfind(name, s->imap->names.separator);

    return at > 0 ? str_sub(name, 0, (size_t)at) : (struct str){0};
}

/* 5.4: also its parent is affected, whether it is a mailbox or not. */
static void
add_parent(struct session *s, struct str name, unsigned kind)
{
    struct folder f = {.name = parent_of(s, name)};
    const struct place *p = roster_find(s->imap, f.name);

    if (p)
        f = p->f;
    if (s->notify && f.name.len > 0 &&
        notify_events(s->notify, &f, kind) & EVENT_MAILBOX_NAME)
        add(s, f.name, (struct str){0}, (struct str){0});
}

void
notices_folder(struct session *s, const struct folder *was,
               const struct folder *is, unsigned kind)
{
    const struct folder *now = is ? is : was;
    bool renamed = was && is && !str_eq(was->name, is->name);
    bool moved = !was || !is || renamed;
    unsigned bits = (was ? was->bits : 0) ^ (is ? is->bits : 0);
    unsigned wants = 0;

    if (was)
        wants |= notify_events(s->notify, was, kind);
    if (is)
        wants |= notify_events(s->notify, is, kind);
    if (moved && wants & EVENT_MAILBOX_NAME)
        add(s, now->name, renamed ? was->name : (struct str){0},
            (struct str){0});
    else if (bits & FOLDER_SUBSCRIBED && wants & EVENT_SUBSCRIPTION_CHANGE)
        add(s, now->name, (struct str){0}, (struct str){0});
    if (moved && !renamed)
        add_parent(s, now->name, kind);
}

void
notices_metadata(struct session *s, const struct place *p, struct str entry)
{
    unsigned wants = p ? notify_events(s->notify, &p->f, p->kind) &
                             EVENT_MAILBOX_METADATA_CHANGE
                       : notify_wants(s->notify, EVENT_SERVER_METADATA_CHANGE);

    if (wants)
        add(s, p ? p->f.name : S(""), (struct str){0}, entry);
}

/* ---- telling */

static void
tell_list(struct session *s, const struct notice *n)
{
    struct buf b = buf_in(s->command);
    struct str name = str_from(n->name);
    const struct place *p = roster_find(s->imap, name);
    const struct folder gone = {.name = name};

    put_list(s, &b, p ? &p->f : &gone);
    if (n->old) {
        buf_add(&b, S(" (\"OLDNAME\" ("));
        put_mailbox(s, &b, str_from(n->old));
        buf_add(&b, S("))"));
    }
    buf_add(&b, S("\r\n"));
    conn_put(s->conn, buf_str(&b));
}

static void
tell_metadata(struct session *s, const struct notice *n)
{
    struct buf b = buf_in(s->command);

    buf_add(&b, S("* METADATA "));
    if (n->name[0])
        put_mailbox(s, &b, str_from(n->name));
    else
        buf_add(&b, S("\"\""));
    buf_addc(&b, ' ');
    imap_put_astring(&b, str_from(n->entry));
    buf_add(&b, S("\r\n"));
    conn_put(s->conn, buf_str(&b));
}

static void
tell_next(struct session *s)
{
    struct notice *n = &s->notify->notices.at[s->notify->told++];

    if (n->entry)
        tell_metadata(s, n);
    else
        tell_list(s, n);
    free(n->name);
    free(n->old);
    free(n->entry);
    if (s->notify->told == s->notify->notices.len) {
        vec_free(&s->notify->notices);
        s->notify->told = 0;
    }
}

/* Of the selected mailbox everything is told otherwise. */
static void
tell_status(struct session *s, const struct place *p, struct told *t)
{
    bool condstore = s->enabled & (ENABLED_CONDSTORE | ENABLED_QRESYNC);
    struct buf b = buf_in(s->command);
    unsigned items;

    t->due = false;
    if (s->box && str_eq(s->selected, p->f.name))
        return;
    items = notify_items(t->events, condstore, &t->st, &p->now);
    t->st = p->now;
    if (items == 0)
        return;
    put_status(s, &b, p->f.name, items, &p->now);
    conn_put(s->conn, buf_str(&b));
}

static bool
tell_statuses(struct session *s)
{
    for (size_t i = 0; i < roster_count(s->imap); i++) {
        struct place *p = roster_at(s->imap, i);

        for (size_t k = 0; k < p->told.len; k++) {
            if (p->told.at[k].s != s || !p->told.at[k].due)
                continue;
            if (!session_may_go_on(s))
                return false;
            tell_status(s, p, &p->told.at[k]);
        }
    }
    return true;
}

/* 5.8: as if NOTIFY NONE had come. */
static void
give_up(struct session *s)
{
    say(s, "* OK [NOTIFICATIONOVERFLOW] %s\r\n", s->notify->overflow);
    s->notify->overflow = NULL;
    s->notify->wish_count = 0;
    s->notify->selected = 0;
    s->notify->due = false;
    roster_settle(s);
}

enum progress
notices_step(struct session *s)
{
    struct notify *n = s->notify;

    if (n == NULL)
        return DONE;
    while (n->told < n->notices.len) {
        if (!session_may_go_on(s))
            return MORE;
        tell_next(s);
    }
    if (n->overflow)
        give_up(s);
    if (n->due && !tell_statuses(s))
        return MORE;
    n->due = false;
    return DONE;
}
