/* NOTIFY (RFC 5465 3, 5, 6). */
#include <stdlib.h>
#include <string.h>

#include "notify.h"
#include "parse.h"
#include "status.h"

#define SETTINGS_MAX ((size_t)16 << 20)
#define TEXT_MAX     ((size_t)256 << 10) /* of the command, which is kept */
#define NAMES_MAX    1000                /* of all groups */

struct work {
    struct notify *n; /* the new one */
    bool status;      /* tell how all mailboxes are */
    size_t next;      /* of the roster */
};

/* ---- what a session wants to hear */

static void
notify_free(struct notify *n)
{
    for (size_t i = n->told; i < n->notices.len; i++) {
        free(n->notices.at[i].name);
        free(n->notices.at[i].old);
        free(n->notices.at[i].entry);
    }
    vec_free(&n->notices);
    arena_free(n->a);
}

static struct notify *
notify_new(void)
{
    struct arena *a = arena_new("notify", SETTINGS_MAX);
    struct notify *n = arena_make(a, struct notify);

    n->a = a;
    return n;
}

static void
replace(struct session *s, struct notify *n)
{
    if (s->notify)
        notify_free(s->notify);
    s->notify = n;
}

/* What waits to be told is told. */
static void
hand_over(struct notify *old, struct notify *n)
{
    for (size_t i = old->told; i < old->notices.len; i++)
        *vec_add(&n->notices) = old->notices.at[i];
    old->told = old->notices.len;
    n->due = old->due;
}

void
notify_end(struct session *s)
{
    if (s->notify == NULL)
        return;
    replace(s, NULL);
    roster_settle(s);
}

unsigned
notify_events(const struct notify *n, const struct folder *f, unsigned kind)
{
    unsigned events = 0;

    for (size_t i = 0; i < n->wish_count; i++) {
        const struct wish *w = &n->wishes[i];

        if (!filter_has(&w->where, f, kind))
            continue;
        if (w->events == 0)
            return 0;
        events |= w->events;
    }
    return events;
}

bool
notify_wants(const struct notify *n, unsigned events)
{
    for (size_t i = 0; i < n->wish_count; i++)
        if (n->wishes[i].events & events)
            return true;
    return false;
}

unsigned
notify_items(unsigned events, bool condstore, const struct mailbox_status *was,
             const struct mailbox_status *is)
{
    bool other = was->validity != is->validity; /* or nothing was told */
    bool messages =
        other || was->next != is->next || was->messages != is->messages;
    bool flags = events & EVENT_FLAG_CHANGE && was->modseq != is->modseq;
    bool unseen =
        events & EVENT_FLAG_CHANGE && (other || was->unseen != is->unseen);
    unsigned items = 0;

    if (events == 0 || !(messages || (flags && (condstore || unseen))))
        return 0;
    items = STATUS_UIDVALIDITY;
    if (messages)
        items |= STATUS_MESSAGES | STATUS_UIDNEXT;
    if (condstore)
        items |= STATUS_HIGHESTMODSEQ;
    if (unseen)
        items |= STATUS_UNSEEN;
    return items;
}

/* ---- what was said */

/* Parsed anew, in memory that lasts as long. */
static void
take(struct session *s, struct notify *n)
{
    struct command_text text = reader_command(s->reader);
    struct literal *literals =
        arena_alloc(n->a, (text.count + 1) * sizeof *literals);
    const char *error;
    struct command c;

    for (size_t i = 0; i < text.count; i++) {
        literals[i] = text.literals[i];
        literals[i].data = arena_str(n->a, text.literals[i].data);
    }
    text.text = arena_str(n->a, text.text);
    text.literals = literals;
    must(command_parse(n->a, &text, &c, &error) == PARSED);

    n->wishes = arena_alloc(n->a, (c.notify.count + 1) * sizeof *n->wishes);
    for (size_t i = 0; i < c.notify.count; i++) {
        const struct notify_group *g = &c.notify.groups[i];

        if (g->where.filter == FILTER_SELECTED ||
            g->where.filter == FILTER_SELECTED_DELAYED) {
            n->selected = g->events;
            n->delayed = g->where.filter == FILTER_SELECTED_DELAYED;
            n->items = g->items;
            n->item_count = g->count;
            continue;
        }
        n->wishes[n->wish_count++] =
            (struct wish){filter_make(s, n->a, &g->where), g->events};
    }
}

static size_t
size_of(const struct command_text *text)
{
    size_t size = text->text.len;

    for (size_t i = 0; i < text->count; i++)
        size += text->literals[i].data.len;
    return size;
}

/* Answered where there is something that cannot be done. */
static bool
is_refused(struct session *s, const struct notify_group *groups, size_t count)
{
    struct command_text text = reader_command(s->reader);
    size_t names = 0;

    for (size_t i = 0; i < count; i++) {
        names += groups[i].where.mailboxes.count;
        if (groups[i].events & (EVENT_UNKNOWN | EVENT_ANNOTATION_CHANGE)) {
            reply_no(s, "[BADEVENT (MessageNew MessageExpunge FlagChange "
                        "MailboxName SubscriptionChange MailboxMetadataChange "
                        "ServerMetadataChange)] Unknown event");
            return true;
        }
    }
    if (names > NAMES_MAX || size_of(&text) > TEXT_MAX) {
        reply_no(s, "[NOTIFICATIONOVERFLOW] Too many mailboxes are named");
        return true;
    }
    return false;
}

/* ---- going through the mailboxes */

static void
tell_status(struct session *s, const struct place *p, unsigned events)
{
    struct buf b = buf_in(s->command);
    unsigned items = STATUS_MESSAGES | STATUS_UIDNEXT | STATUS_UIDVALIDITY;

    if (events & EVENT_FLAG_CHANGE ||
        s->enabled & (ENABLED_CONDSTORE | ENABLED_QRESYNC))
        items |= STATUS_HIGHESTMODSEQ;
    put_status(s, &b, p->f.name, items, &p->now);
    conn_put(s->conn, buf_str(&b));
}

/* 3.1: one that may be listed but not looked at. */
static void
tell_no_access(struct session *s, const struct notify *n, const struct place *p)
{
    struct buf b = buf_in(s->command);

    if (p->rights & RIGHT_READ || !(p->rights & RIGHT_LOOKUP) ||
        !(p->f.bits & FOLDER_SELECTABLE) ||
        !(notify_events(n, &p->f, p->kind) & EVENTS_OF_MESSAGES))
        return;
    put_mailbox(s, &b, p->f.name);
    say(s, "* LIST (\\NoAccess) \"%c\" %s\r\n", s->imap->names.separator,
        buf_str(&b).p);
}

static enum rc
listen_to(struct session *s, struct work *w, struct place *p, struct why *why)
{
    unsigned events = roster_events(w->n, p);
    bool selected = s->box && str_eq(s->selected, p->f.name);
    struct told *t;
    enum rc rc;

    if (events == 0) {
        tell_no_access(s, w->n, p);
        return OK;
    }
    rc = roster_listen(s, p, &t, why);
    if (rc != OK || !w->status || selected)
        return rc;
    tell_status(s, p, events);
    t->st = p->now;
    return OK;
}

static void
drop(struct session *s, void *work)
{
    struct work *w = work;

    notify_free(w->n);
    roster_end(s);
}

static enum progress
step(struct session *s, void *work)
{
    struct work *w = work;
    struct why why;

    for (; w->next < roster_count(s->imap); w->next++) {
        if (!session_may_go_on(s))
            return MORE;
        if (listen_to(s, w, roster_at(s->imap, w->next), &why) == OK ||
            why.dsn[0] == '5')
            continue;
        drop(s, w);
        reply_no(s, "[NOTIFICATIONOVERFLOW] %s", why.text);
        return DONE;
    }
    if (s->notify)
        hand_over(s->notify, w->n);
    replace(s, w->n);
    roster_end(s);
    reply_ok(s, "Notified from here on");
    return DONE;
}

/* 3.1: what has piled up is told, whatever was wanted before. */
static bool
catch_up(struct session *s)
{
    struct notify *had = s->notify;
    struct why why;

    if (s->box == NULL)
        return true;
    if (mailbox_sync(s->box, NULL, &why) != OK) {
        reply_why(s, &why);
        return false;
    }
    s->notify = NULL;
    news_tell(s, true);
    s->notify = had;
    s->fetched = view_next(s->view);
    return true;
}

void
do_notify(struct session *s, const struct command *c)
{
    struct work *w = arena_make(s->command, struct work);
    struct why why;

    if (c->notify.none) {
        replace(s, notify_new());
        roster_settle(s);
        reply_ok(s, "Nothing is notified");
        return;
    }
    if (is_refused(s, c->notify.groups, c->notify.count) || !catch_up(s))
        return;
    w->n = notify_new();
    w->status = c->notify.status;
    take(s, w->n);
    if (w->n->wish_count == 0) {
        replace(s, w->n);
        roster_settle(s);
        reply_ok(s, "Notified from here on");
        return;
    }
    if (roster_begin(s, &why) != OK) {
        notify_free(w->n);
        reply_no(s, "[NOTIFICATIONOVERFLOW] %s", why.text);
        return;
    }
    session_task(s, (struct task){.step = step, .drop = drop, .work = w});
}
