/* FETCH and UID FETCH: RFC 9051 6.4.5, 7162 3.1.4, 9394, 9586, 9738. */
#include <string.h>

#include "access/fields.h"
#include "condstore.h"
#include "fetch.h"
#include "limit.h"
#include "rights.h"
#include "store/changes.h"
#include "write.h"

#define MESSAGE_MAX ((size_t)64 << 20)
#define ITEM_MAX    ((size_t)256 << 20) /* a header may be all of a message */

struct work {
    struct walk walk;
    struct arena *a;    /* of one message */
    struct arena *item; /* of one item of it */
    const struct fetch_item *items;
    size_t count;
    bool seen;   /* bodies are asked for: \Seen is set */
    bool active; /* a response is under way */
    bool failed;
    bool expunged; /* of a message that is gone already */
    bool untagged; /* no command waits for it */
    struct why why;
    struct fetching f;
    struct walk_row rows[WALK_ROWS]; /* from `at` on: of this turn */
    size_t at, len;
};

static bool
sets_seen(const struct session *s, const struct fetch *c)
{
    if (s->read_only || !(s->rights & RIGHT_SEEN))
        return false;
    for (size_t i = 0; i < c->count; i++)
        switch (c->items[i].kind) {
        case FETCH_SECTION:
        case FETCH_BINARY:
            if (!c->items[i].peek)
                return true;
            break;
        case FETCH_RFC822:
        case FETCH_RFC822_TEXT:
            return true;
        default:
            break;
        }
    return false;
}

static bool
has_item(const struct fetch *c, enum fetch_kind kind)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->items[i].kind == kind)
            return true;
    return false;
}

/* Are these fields of the header, all of which the index keeps? */
static bool
are_kept(const struct fetch_item *item)
{
    const struct section *s = &item->section;

    if (item->kind != FETCH_SECTION || s->text != SECTION_FIELDS ||
        s->depth > 0 || item->partial)
        return false;
    for (size_t i = 0; i < s->count; i++)
        if (!fields_keep(s->fields[i]))
            return false;
    return true;
}

/* UID FETCH always tells the UID, and who has CONDSTORE the mod-sequence with
 * flags. */
static void
find_items(struct session *s, const struct command *c, struct work *w)
{
    const struct fetch *f = &c->fetch;
    struct fetch_item *items =
        arena_alloc(s->command, (f->count + 2) * sizeof *items);
    size_t n = 0;
    bool modseq;

    w->seen = sets_seen(s, f);
    if (f->changed_since > 0 || has_item(f, FETCH_MODSEQ))
        condstore_enable(s);
    modseq = f->changed_since > 0 || (s->enabled & ENABLED_CONDSTORE &&
                                      (has_item(f, FETCH_FLAGS) || w->seen));

    if (c->uid && !has_item(f, FETCH_UID) && !(s->enabled & ENABLED_UIDONLY))
        items[n++] = (struct fetch_item){.kind = FETCH_UID};
    for (size_t i = 0; i < f->count; i++) {
        items[n] = f->items[i];
        items[n].kept = are_kept(&items[n]);
        n++;
    }
    if (modseq && !has_item(f, FETCH_MODSEQ))
        items[n++] = (struct fetch_item){.kind = FETCH_MODSEQ};
    w->items = items;
    w->count = n;
}

static enum rc
set_seen(struct session *s, struct work *w, struct message *m)
{
    const struct uid_range one = {m->uid, m->uid};
    const struct flags_change change = {.how = FLAGS_ADD, .flags = FLAG_SEEN};
    struct flags_done done;
    enum rc rc;

    if (!w->seen || m->flags & FLAG_SEEN)
        return OK;
    rc = flags_store(s->box, (struct uid_set){&one, 1}, &change, w->a, &done,
                     &w->why);
    if (rc != OK || done.modseq == 0)
        return rc;
    view_skip(s->view, done.before, done.modseq);
    flags_soon(s->imap);
    m->flags |= FLAG_SEEN;
    m->modseq = done.modseq;
    return OK;
}

/* The next message; NULL at the end. */
static struct walk_row *
next_row(struct session *s, struct work *w)
{
    if (w->at == w->len) {
        w->at = 0;
        if (walk_read(&w->walk, s->box, w->rows, &w->len, &w->why) != OK) {
            w->failed = true;
            w->len = 0;
        }
    }
    return w->at < w->len ? &w->rows[w->at++] : NULL;
}

/* Others may change what has been read ahead while they have their turn. */
static void
read_again(struct work *w)
{
    if (w->at < w->len)
        walk_back(&w->walk, &w->rows[w->at]);
    w->at = w->len = 0;
}

static bool
begin_next(struct session *s, struct work *w)
{
    struct walk_row *row;

    while ((row = next_row(s, w))) {
        bool unseen = !(row->m.flags & FLAG_SEEN);

        if (row->gone) {
            w->expunged = true; /* told when that may be told */
            continue;
        }
        if (set_seen(s, w, &row->m) != OK)
            w->failed = true;
        fetch_begin(&w->f, s, w->a, w->item, w->items, w->count, row->seq,
                    &row->m);
        w->f.seen_now = unseen && row->m.flags & FLAG_SEEN;
        w->active = true;
        return true;
    }
    return false;
}

static void
drop(struct session *s, void *work)
{
    struct work *w = work;

    (void)s;
    if (w->active)
        fetch_end(&w->f);
    arena_free(w->a);
    arena_free(w->item);
}

static void
finish(struct session *s, struct work *w)
{
    if (w->untagged)
        return;
    if (w->failed)
        reply_why(s, &w->why);
    else if (w->expunged && !s->now.uid)
        reply_ok(s, "[EXPUNGEISSUED] Some messages are gone");
    else
        reply_ok(s, "Fetched");
}

static enum progress
step(struct session *s, void *work)
{
    struct work *w = work;
    struct why why = {0};

    read_again(w);
    while (session_may_go_on(s)) {
        if (!w->active && !begin_next(s, w)) {
            finish(s, w);
            drop(s, w);
            return DONE;
        }
        if (!fetch_go_on(&w->f, &why))
            return MORE;
        if (strcmp(why.dsn, "5.2.0") == 0) {
            w->expunged = true; /* another program has removed the file */
        } else if (why.dsn[0] != '\0') {
            w->failed = true;
            w->why = why;
        }
        fetch_end(&w->f);
        w->active = false;
    }
    return MORE;
}

/* RFC 9394 3.3: some of the messages in the set, counted from an end. */
static struct uid_set
take_range(struct session *s, const struct partial *p, struct uid_set set)
{
    struct uid_range *at = arena_alloc(s->command, (set.len + 1) * sizeof *at);
    size_t count = 0, from, to, n = 0, before = 0;
    uint32_t rank;

    for (size_t i = 0; i < set.len; i++)
        count += range_count(s->view, set.at[i], &rank);
    partial_range(p, count, &from, &to);
    for (size_t i = 0; i < set.len; i++) {
        size_t here = range_count(s->view, set.at[i], &rank);
        size_t low = from > before ? from - before : 0;
        size_t high = to > before ? to - before : 0;

        high = high < here ? high : here;
        if (low < high)
            at[n++] =
                (struct uid_range){view_uid(s->view, rank + (uint32_t)low + 1),
                                   view_uid(s->view, rank + (uint32_t)high)};
        before += here;
    }
    return (struct uid_set){at, n};
}

/* RFC 7162 3.1.4.1, 3.2.6. */
static enum rc
take_changed(struct session *s, const struct fetch *f, struct uid_set *set,
             struct why *why)
{
    struct uid_set changed;
    enum rc rc = OK;

    if (f->vanished)
        rc = condstore_say_vanished(s, f->changed_since, *set, why);
    if (rc == OK)
        rc = changes_since(s->box, f->changed_since, s->command, &changed, why);
    if (rc == OK)
        *set = condstore_both(s, *set, changed);
    return rc;
}

static struct task
task_of(struct session *s, struct work *w, struct uid_set set)
{
    w->a = arena_new("message", MESSAGE_MAX);
    w->item = arena_new("item", ITEM_MAX);
    walk_begin(&w->walk, s, set);
    return (struct task){.step = step, .drop = drop, .work = w};
}

struct task
fetch_untagged(struct session *s, struct fetch_item *items, size_t count,
               struct uid_set set)
{
    const struct command c = {
        .id = COMMAND_FETCH,
        .uid = s->enabled & (ENABLED_QRESYNC | ENABLED_REV2),
        .fetch = {.items = items, .count = count},
    };
    struct work *w = arena_make(s->command, struct work);

    w->untagged = true;
    find_items(s, &c, w);
    return task_of(s, w, set);
}

static const char *
wrong(const struct session *s, const struct command *c)
{
    if (c->fetch.vanished && !(s->enabled & ENABLED_QRESYNC))
        return "VANISHED needs ENABLE QRESYNC";
    if (c->fetch.range.asked && !c->uid)
        return "PARTIAL is for UID FETCH";
    return NULL;
}

/* False: it was answered. */
static bool
find_set(struct session *s, const struct command *c, struct uid_set *set)
{
    const struct fetch *f = &c->fetch;

    if (!set_uids(s, &f->set, c->uid, set)) {
        reply_bad(s, "There is no message of that number");
        return false;
    }
    if (!f->range.asked)
        return true;
    *set = take_range(s, &f->range, *set);
    if (limit_lowest(s, *set) == 0)
        return true;
    limit_refuse(s, 0, "The range has too many messages");
    return false;
}

void
do_fetch(struct session *s, const struct command *c)
{
    const struct fetch *f = &c->fetch;
    struct why why;

    struct work *w = arena_make(s->command, struct work);
    struct uid_set set;

    if (wrong(s, c)) {
        reply_bad(s, "%s", wrong(s, c));
        return;
    }
    if (f->vanished)
        news_tell(s, true); /* what is gone has no number to be told with */
    if (!find_set(s, c, &set))
        return;
    find_items(s, c, w);
    if (f->changed_since > 0 && take_changed(s, f, &set, &why) != OK) {
        reply_why(s, &why);
        return;
    }
    set = limit_cut(s, set);
    session_task(s, task_of(s, w, set));
}
