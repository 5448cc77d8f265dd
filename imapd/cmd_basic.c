/* Commands about the session itself: RFC 9051 6.1, 6.3.1, 2971, 2342, 2177,
 * 8437. */
#include <stdio.h>

#include "mail/imap_text.h"
#include "mail/mutf7.h"
#include "space.h"

void
do_capability(struct session *s, const struct command *c)
{
    struct buf b = buf_in(s->command);

    (void)c;
    capabilities_put(s, &b);
    say(s, "* %s\r\n", buf_str(&b).p);
    reply_ok(s, "Capabilities listed");
}

void
do_noop(struct session *s, const struct command *c)
{
    struct why why;

    (void)c;
    if (s->box && mailbox_sync(s->box, NULL, &why) != OK)
        reply_why(s, &why);
    else
        reply_ok(s, "Nothing done");
}

void
do_logout(struct session *s, const struct command *c)
{
    (void)c;
    say(s, "* BYE Logging out\r\n");
    reply_ok(s, "Logged out");
    session_end(s, "Logged out");
}

void
do_id(struct session *s, const struct command *c)
{
    (void)c;
    say(s, "* ID (\"name\" \"Posta\")\r\n");
    reply_ok(s, "ID done");
}

void
do_enable(struct session *s, const struct command *c)
{
    struct buf b = buf_in(s->command);

    buf_add(&b, S("* ENABLED"));
    for (size_t i = 0; i < c->words.count; i++)
        commands_enable(s, c->words.at[i], &b);
    say(s, "%s\r\n", buf_str(&b).p);
    reply_ok(s, "Enabled");
}

/* "(\"Public/\" \"/\")" */
static void
put_space(const struct session *s, struct buf *b, struct str prefix)
{
    struct buf narrow = buf_in(s->command);

    if (!session_is_wide(s) && mutf7_encode(&narrow, prefix))
        prefix = buf_str(&narrow);
    buf_addc(b, '(');
    imap_put_string(b, prefix);
    buf_fmt(b, " \"%c\")", s->imap->names.separator);
}

static void
put_spaces(const struct session *s, struct buf *b, unsigned kind)
{
    const struct mail_space *space;
    size_t pos = 0, count = 0;

    while ((space = space_next_of(s->imap, kind, &pos))) {
        buf_add(b, count++ ? S("") : S(" ("));
        put_space(s, b, space->prefix);
    }
    buf_add(b, count ? S(")") : S(" NIL"));
}

void
do_namespace(struct session *s, const struct command *c)
{
    struct buf b = buf_in(s->command);

    (void)c;
    buf_add(&b, S("* NAMESPACE ("));
    put_space(s, &b, s->imap->names.prefix);
    buf_addc(&b, ')');
    put_spaces(s, &b, SPACE_SHARED);
    put_spaces(s, &b, SPACE_PUBLIC);
    buf_add(&b, S("\r\n"));
    conn_put(s->conn, buf_str(&b));
    reply_ok(s, "Namespaces listed");
}

/* To all that idle at once, so that a user's process is woken once for all of
 * them. Who has not read what came before needs no reminder. */
static void
still_here(void *self)
{
    struct imap *imap = self;
    bool any = false;

    imap->still = NULL;
    for (size_t i = 0; i < imap->sessions.len; i++) {
        struct session *s = imap->sessions.at[i];

        if (!s->idling || s->ending)
            continue;
        any = true;
        if (s->task.step || conn_unsent(s->conn) > 0)
            continue;
        say(s, "* OK Still here\r\n");
        conn_flush(s->conn);
    }
    if (any)
        imap->still = loop_after(imap->user->loop,
                                 imap->user->conf->imap_idle_notify_interval,
                                 still_here, imap);
}

void
do_idle(struct session *s, const struct command *c)
{
    int64_t interval = s->conf->imap_idle_notify_interval;

    (void)c;
    if (s->box)
        outside_look(s);
    s->untold = news_tell_some(s, true);
    say(s, "+ idling\r\n");
    s->idling = true;
    snprintf(s->idle_tag, sizeof s->idle_tag, "%.*s", STR(c->tag));
    if (interval > 0 && s->imap->still == NULL)
        s->imap->still =
            loop_after(s->imap->user->loop, interval, still_here, s->imap);
}

/* RFC 8437. The connection can go back where the login stage still has it. */
void
do_unauthenticate(struct session *s, const struct command *c)
{
    (void)c;
    if (!s->tls) {
        reply_bad(s, "Unknown command");
        return;
    }
    session_deselect(s, 0);
    reply_ok(s, "Logged out; the next user may log in");
    session_leave(s);
}

/* RFC 4978. What the client sends before it has read the answer means nothing,
 * so nothing is read until that has gone out. */
void
do_compress(struct session *s, const struct command *c)
{
    if (c->words.count != 1 || !str_ieq(c->words.at[0], S("DEFLATE"))) {
        reply_no(s, "DEFLATE is the only way to compress");
        return;
    }
    if (s->compressed) {
        reply_no(s, "[COMPRESSIONACTIVE] Already compressed");
        return;
    }
    s->compressed = s->compressing = true;
    reply_ok(s, "Compressed from here on");
}
