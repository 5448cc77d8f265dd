#include "base/log.h"
#include "fetch.h"
#include "mail/imap_text.h"
#include "notify.h"
#include "space.h"
#include "store/ranges.h"

#define NEWS_MAX ((size_t)256 << 20)

#define FLAGS_MAX ((size_t)1 << 20) /* of WALK_ROWS messages */

void
put_uids(struct buf *b, struct uid_set set)
{
    for (size_t i = 0; i < set.len; i++) {
        const struct uid_range *r = &set.at[i];

        buf_fmt(b, i ? ",%u" : "%u", r->first);
        if (r->last != r->first)
            buf_fmt(b, ":%u", r->last);
    }
}

/* The number to be told as the i-th: of the lowest first, or, where the limit
 * wants it (RFC 9738 3.1), of the highest, which changes none of the others. */
static uint32_t
expunged_at(const struct session *s, const struct view_news *news, size_t i)
{
    size_t back = news->expunged_count - 1 - i;

    return s->lowest > 0 ? news->expunged[back] + (uint32_t)back
                         : news->expunged[i];
}

static void
tell_expunged(struct session *s, const struct view_news *news)
{
    struct buf b = buf_in(s->command);

    if (news->vanished.len == 0)
        return;
    if (s->enabled & (ENABLED_QRESYNC | ENABLED_UIDONLY)) {
        put_uids(&b, news->vanished);
        say(s, "* VANISHED %s\r\n", buf_str(&b).p);
        return;
    }
    for (size_t i = 0; i < news->expunged_count; i++) {
        buf_add(&b, S("* "));
        buf_num(&b, expunged_at(s, news, i));
        buf_add(&b, S(" EXPUNGE\r\n"));
    }
    conn_put(s->conn, buf_str(&b));
}

/* RFC 7162 3.2: while expunges wait the client sees mod-sequences of FETCH that
 * are higher, and would take them for what it knows. */
static void
tell_modseq(struct session *s, const struct view_news *news)
{
    if (news->waited && s->enabled & ENABLED_QRESYNC)
        say(s, "* OK [HIGHESTMODSEQ %llu] Highest\r\n",
            (unsigned long long)view_modseq(s->view));
}

/* RFC 3501 6.4.8: of whatever a UID command brings about. */
static bool
wants_uids(const struct session *s)
{
    return s->enabled & (ENABLED_QRESYNC | ENABLED_REV2) || s->notify ||
           s->now.uid;
}

static void
put_row(struct session *s, struct buf *b, const struct walk_row *row,
        const struct keywords *names)
{
    bool uidonly = s->enabled & ENABLED_UIDONLY;

    buf_add(b, S("* "));
    buf_num(b, uidonly ? row->m.uid : row->seq);
    buf_add(b, uidonly ? S(" UIDFETCH (FLAGS ") : S(" FETCH (FLAGS "));
    put_flags(b, row->m.flags, row->m.keywords, names,
              session_has_recent(s, row->m.uid));
    if (s->enabled & (ENABLED_CONDSTORE | ENABLED_QRESYNC)) {
        buf_add(b, S(" MODSEQ ("));
        buf_num(b, row->m.modseq);
        buf_addc(b, ')');
    }
    if (!uidonly && wants_uids(s)) {
        buf_add(b, S(" UID "));
        buf_num(b, row->m.uid);
    }
    buf_add(b, S(")\r\n"));
}

/* One that is gone is told as expunged when that may be told. */
static bool
tell_rows(struct session *s, struct walk *w, struct arena *a)
{
    struct walk_row rows[WALK_ROWS];
    const struct keywords *names;
    struct buf b = buf_in(a);
    struct why why;
    size_t n;

    if (mailbox_keywords(s->box, &names, &why) != OK ||
        walk_read(w, s->box, rows, &n, &why) != OK)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!rows[i].gone)
            put_row(s, &b, &rows[i], names);
    conn_put(s->conn, buf_str(&b));
    return n > 0;
}

bool
news_flags(struct session *s, struct walk *w)
{
    struct arena *a = arena_new("flags", FLAGS_MAX);
    bool more = true;

    while (more && session_may_go_on(s)) {
        arena_reset(a);
        more = tell_rows(s, w, a);
    }
    arena_free(a);
    return !more;
}

/* ---- what NOTIFY leaves to be told (RFC 5465 3.1, 5) */

/* A client that does not want to hear of the selected mailbox sees it as it
 * was, but for what its own command expunges, and others have before. */
static bool
expunges_itself(const struct session *s)
{
    switch (s->now.id) {
    case COMMAND_EXPUNGE:
    case COMMAND_UID_EXPUNGE:
    case COMMAND_MOVE:
    case COMMAND_UID_MOVE:
    case COMMAND_REPLACE:
    case COMMAND_UID_REPLACE:
        return true;
    default:
        return false;
    }
}

static unsigned
wanted(const struct session *s)
{
    return s->notify ? s->notify->selected : EVENTS_OF_MESSAGES;
}

bool
news_tells_flags(const struct session *s)
{
    return wanted(s) & EVENT_FLAG_CHANGE;
}

/* May it be told now, while no command is at work? */
static bool
listens(const struct session *s)
{
    return s->notify ? s->notify->selected != 0 : s->idling;
}

/* ---- telling */

static enum rc
take_up(struct session *s, bool expunges, struct view_news *news,
        struct why *why)
{
    if (wanted(s))
        return view_update(s->view, expunges, s->command, news, why);
    *news = (struct view_news){0};
    return expunges_itself(s) ? view_expunge(s->view, s->command, news, why)
                              : OK;
}

struct walk *
news_tell_some(struct session *s, bool expunges)
{
    struct view_news news;
    struct walk *changed;
    struct why why;

    if (s->box == NULL || !view_has_news(s->view))
        return NULL;
    if (take_up(s, expunges, &news, &why) != OK) {
        log_warn("imap(%.*s): %.*s: %s", STR(s->imap->user->user),
                 STR(s->selected), why.text);
        return NULL;
    }
    if (news.replaced) {
        session_bye_soon(s, "[UNAVAILABLE] The mailbox is another one now");
        return NULL;
    }
    tell_expunged(s, &news);
    tell_modseq(s, &news);
    if (news.arrived) {
        say(s, "* %u EXISTS\r\n", view_count(s->view));
        if (!(s->enabled & ENABLED_REV2))
            say(s, "* %u RECENT\r\n", view_recent(s->view));
        if (s->notify && s->notify->item_count > 0)
            session_tell_soon(s);
    }
    if (!news_tells_flags(s) || news.changed.len == 0)
        return NULL;
    changed = arena_make(s->command, struct walk);
    walk_begin(changed, s, news.changed);
    return news_flags(s, changed) ? NULL : changed;
}

void
news_tell(struct session *s, bool expunges)
{
    struct arena *a = arena_new("flags", FLAGS_MAX);
    struct walk *left = news_tell_some(s, expunges);

    while (left && tell_rows(s, left, a))
        arena_reset(a);
    arena_free(a);
}

void
news_look(struct imap *imap, struct mailbox *box)
{
    bool first = true;

    for (size_t i = 0; i < imap->sessions.len; i++) {
        struct session *s = imap->sessions.at[i];

        if (s->box != box)
            continue;
        if (mailbox_gone(box)) {
            session_bye_soon(s, "The selected mailbox was deleted");
            continue;
        }
        if (first)
            roster_name_changed(imap, s->selected);
        first = false;
        if (!listens(s) || !view_has_news(s->view))
            continue;
        if (space_look(s) && !(s->rights & RIGHT_READ))
            session_bye_soon(s, NO_RIGHT);
        else
            session_tell_soon(s);
    }
}

void
news_added(struct session *s, struct str name, struct mailbox *box,
           struct uid_set uids)
{
    if (box != s->box)
        roster_added(s, name, box, uid_set_count(uids));
    else if (s->notify && s->notify->item_count > 0)
        for (size_t i = 0; i < uids.len; i++)
            *vec_add(&s->added) = uids.at[i];
}

/* ---- all news, at any time */

struct telling {
    bool begun;
    struct walk *flags; /* NULL: told */
    struct task fetch;  /* of new messages */
};

/* New messages that the client has not brought itself: of these it wants to
 * have what it said with MessageNew (5.2). */
static void
fetch_new(struct session *s, struct telling *t)
{
    const struct notify *n = s->notify;
    struct uid_set own = {s->added.at, s->added.len};
    struct ranges set = {0};
    uint32_t count = view_count(s->view);

    for (uint32_t seq = view_rank(s->view, s->fetched) + 1; seq <= count; seq++)
        if (!uid_set_has(own, view_uid(s->view, seq)))
            ranges_add(&set, view_uid(s->view, seq));
    s->fetched = view_next(s->view);
    vec_free(&s->added);
    if (set.list.len > 0)
        t->fetch = fetch_untagged(s, n->items, n->item_count,
                                  ranges_take(&set, s->command));
}

static enum progress
step(struct session *s, void *work)
{
    struct telling *t = work;

    if (!t->begun) {
        t->begun = true;
        if (listens(s))
            t->flags = news_tell_some(s, s->idling || !s->notify->delayed);
        if (s->box && listens(s) && s->notify && s->notify->item_count > 0)
            fetch_new(s, t);
    }
    if (t->flags && !news_flags(s, t->flags))
        return MORE;
    t->flags = NULL;
    if (t->fetch.step && t->fetch.step(s, t->fetch.work) == MORE)
        return MORE;
    t->fetch = (struct task){0};
    return notices_step(s);
}

static void
drop(struct session *s, void *work)
{
    struct telling *t = work;

    if (t->fetch.step)
        t->fetch.drop(s, t->fetch.work);
}

void
news_begin(struct session *s)
{
    struct arena *a;

    s->tell = false;
    if (s->notify == NULL && !s->idling)
        return;
    a = arena_new("news", NEWS_MAX);
    session_task(s, (struct task){
                        .step = step,
                        .drop = drop,
                        .work = arena_make(a, struct telling),
                        .arena = a,
                        .aside = true,
                    });
}

/* ---- flags on their way into file names */

#define FLUSH_MS    1000 /* behind a change */
#define FLUSH_PAUSE 20   /* and then between batches */
#define FLUSH_BATCH 200

static void flush(void *self);

static void
flush_after(struct imap *imap, int64_t ms)
{
    if (imap->flush == NULL)
        imap->flush = loop_after(imap->user->loop, ms, flush, imap);
}

static enum flags_left
flush_box(struct imap *imap, struct mailbox *box)
{
    enum flags_left left = FLAGS_NONE_LEFT;
    struct why why;

    if (flags_flush(box, FLUSH_BATCH, &left, &why) != OK)
        log_warn("imap(%.*s): %s", STR(imap->user->user), why.text);
    return left;
}

/* Mailboxes whose file names are behind; they are written between commands. */
static void
flush(void *self)
{
    struct imap *imap = self;
    bool left[FLAGS_FOR_LATER + 1] = {false};

    imap->flush = NULL;
    for (size_t i = 0; i < imap->sessions.len; i++)
        if (imap->sessions.at[i]->box)
            left[flush_box(imap, imap->sessions.at[i]->box)] = true;
    for (size_t i = imap->behind.len; i > 0; i--) {
        struct mailbox *box = imap->behind.at[i - 1];
        enum flags_left here =
            mailbox_gone(box) ? FLAGS_NONE_LEFT : flush_box(imap, box);

        left[here] = true;
        if (here != FLAGS_NONE_LEFT)
            continue;
        vec_drop(&imap->behind, i - 1);
        mailbox_close(box);
    }
    if (left[FLAGS_MORE_LEFT] || left[FLAGS_FOR_LATER])
        flush_after(imap, left[FLAGS_MORE_LEFT] ? FLUSH_PAUSE : FLUSH_MS);
}

void
flags_soon(struct imap *imap)
{
    flush_after(imap, FLUSH_MS);
}

void
flags_close(struct imap *imap, struct mailbox *box)
{
    enum flags_left left = FLAGS_NONE_LEFT;
    struct why why;

    if (mailbox_gone(box) || flags_flush(box, FLUSH_BATCH, &left, &why) != OK ||
        left == FLAGS_NONE_LEFT) {
        mailbox_close(box);
        return;
    }
    *vec_add(&imap->behind) = box;
    flush_after(imap, FLUSH_PAUSE);
}

void
flags_end(struct imap *imap)
{
    for (size_t i = 0; i < imap->behind.len; i++)
        mailbox_close(imap->behind.at[i]);
    vec_free(&imap->behind);
}
