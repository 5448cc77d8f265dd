#include "base/log.h"
#include "mail/imap_text.h"
#include "session.h"

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

void
news_flags(struct session *s, uint32_t uid)
{
    struct buf b = buf_in(s->command);
    const struct keywords *names;
    struct message m;
    struct why why;

    if (mailbox_message(s->box, uid, &m, &why) != OK ||
        mailbox_keywords(s->box, &names, &why) != OK)
        return; /* gone: it is told as expunged when that may be told */
    if (s->enabled & ENABLED_UIDONLY)
        buf_fmt(&b, "* %u UIDFETCH (FLAGS ", uid);
    else
        buf_fmt(&b, "* %u FETCH (FLAGS ", view_seq(s->view, uid));
    put_flags(&b, m.flags, m.keywords, names, session_has_recent(s, uid));
    if (s->enabled & (ENABLED_CONDSTORE | ENABLED_QRESYNC))
        buf_fmt(&b, " MODSEQ (%llu)", (unsigned long long)m.modseq);
    if (s->enabled & (ENABLED_QRESYNC | ENABLED_REV2) &&
        !(s->enabled & ENABLED_UIDONLY))
        buf_fmt(&b, " UID %u", uid);
    buf_add(&b, S(")\r\n"));
    conn_put(s->conn, buf_str(&b));
}

static void
tell_changed(struct session *s, struct uid_set set)
{
    for (size_t i = 0; i < set.len; i++) {
        uint32_t from = view_rank(s->view, set.at[i].first) + 1;

        for (uint32_t seq = from; seq <= view_count(s->view); seq++) {
            uint32_t uid = view_uid(s->view, seq);

            if (uid > set.at[i].last)
                break;
            news_flags(s, uid);
        }
    }
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
