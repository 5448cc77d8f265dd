#include "base/log.h"
#include "mail/imap_text.h"
#include "session.h"

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
    for (size_t i = 0; i < news->expunged_count; i++)
        say(s, "* %u EXPUNGE\r\n", news->expunged[i]);
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
    if (s->enabled & (ENABLED_QRESYNC | ENABLED_REV2) && !uidonly) {
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

static void
tell_changed(struct session *s, struct uid_set set)
{
    struct arena *a = arena_new("flags", FLAGS_MAX);
    struct walk w;

    walk_begin(&w, s, set);
    while (tell_rows(s, &w, a))
        arena_reset(a);
    arena_free(a);
}

void
news_tell(struct session *s, bool expunges)
{
    struct view_news news;
    struct why why;

    if (s->box == NULL || !view_has_news(s->view))
        return;
    if (view_update(s->view, expunges, s->command, &news, &why) != OK) {
        log_warn("imap(%.*s): %.*s: %s", STR(s->imap->user->user),
                 STR(s->selected), why.text);
        return;
    }
    if (news.replaced) {
        session_bye_soon(s, "[UNAVAILABLE] The mailbox is another one now");
        return;
    }
    tell_expunged(s, &news);
    if (news.arrived) {
        say(s, "* %u EXISTS\r\n", view_count(s->view));
        if (!(s->enabled & ENABLED_REV2))
            say(s, "* %u RECENT\r\n", view_recent(s->view));
    }
    tell_changed(s, news.changed);
}

void
news_look(struct imap *imap, struct mailbox *box)
{
    for (size_t i = 0; i < imap->sessions.len; i++) {
        struct session *s = imap->sessions.at[i];

        if (s->box != box || !s->idling || !view_has_news(s->view))
            continue;
        news_tell(s, true);
        conn_flush(s->conn);
    }
}

#define FLUSH_MS    1000
#define FLUSH_BATCH 200

/* Mailboxes whose file names are behind; they are written between commands. */
static void
flush(void *self)
{
    struct imap *imap = self;
    bool more = false;

    imap->flush = NULL;
    for (size_t i = 0; i < imap->sessions.len; i++) {
        struct mailbox *box = imap->sessions.at[i]->box;
        struct why why;
        bool left = false;

        if (box && flags_flush(box, FLUSH_BATCH, &left, &why) != OK)
            log_warn("imap(%.*s): %s", STR(imap->user->user), why.text);
        more = more || left;
    }
    if (more)
        flags_soon(imap);
}

void
flags_soon(struct imap *imap)
{
    if (imap->flush == NULL)
        imap->flush = loop_after(imap->user->loop, FLUSH_MS, flush, imap);
}
