/*
 * message/delivery-status (RFC 3464), and its form for addresses outside
 * ASCII (RFC 6533).
 */
#include "report.h"

#include "mail/date.h"
#include "mail/header.h"

/* Values come from strangers' replies: header_put folds them and takes line
 * ends out. */
static void
put(struct buf *b, const char *name, const char *type, struct str value)
{
    struct buf line = buf_in(b->arena);

    if (value.len == 0)
        return;
    if (type)
        buf_fmt(&line, "%s; ", type);
    buf_add(&line, value);
    header_put(b, name, buf_str(&line));
}

static struct str
date(struct arena *a, int64_t microseconds)
{
    return date_format(a, microseconds / 1000000);
}

static const char *
sent_action(const struct notice *r, const struct queue_result *result)
{
    if (result->action == ACTION_RELAYED)
        return "relayed";
    if (result->action == ACTION_EXPANDED)
        return "expanded";
    return r->about->file.envelope.flags & ENVELOPE_BV ? "deliverable"
                                                       : "delivered";
}

static bool
is_ascii(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] > 127)
            return false;
    return true;
}

static void
put_address(struct buf *b, const char *name, struct str addr)
{
    put(b, name, is_ascii(addr) ? "rfc822" : "utf-8", addr);
}

static void
put_original(struct buf *b, const struct rcpt *rcpt)
{
    if (rcpt->orcpt.len)
        put(b, "Original-Recipient", NULL, rcpt->orcpt);
    else if (rcpt->orig.len)
        put_address(b, "Original-Recipient", rcpt->orig);
}

/* What he has been told, where he has not been told why. */
struct state_words {
    const char *action, *status;
};

static struct state_words
words_of(const struct notice *r, const struct queue_result *result)
{
    switch (result->state) {
    case QUEUE_FAILED:
        return (struct state_words){"failed", "5.0.0"};
    case QUEUE_SENT:
        return (struct state_words){sent_action(r, result), "2.0.0"};
    default:
        return (struct state_words){"delayed", "4.0.0"};
    }
}

static void
put_recipient(const struct notice *r, struct buf *b, const struct rcpt *rcpt,
              const struct queue_result *result)
{
    const struct conf *conf = r->bounce->conf;
    struct state_words words = words_of(r, result);
    int64_t arrived = r->about->file.envelope.arrived;

    buf_add(b, S("\n"));
    put_address(b, "Final-Recipient", rcpt->addr);
    put_original(b, rcpt);
    put(b, "Action", NULL, str_from(words.action));
    put(b, "Status", NULL,
        result->dsn.len ? result->dsn : str_from(words.status));
    put(b, "Remote-MTA", "dns", result->remote);
    if (result->reply.len)
        put(b, "Diagnostic-Code", "smtp", result->reply);
    else
        put(b, "Diagnostic-Code", arena_fmt(b->arena, "x-%s", conf->mail_name),
            result->text);
    if (result->when)
        put(b, "Last-Attempt-Date", NULL, date(b->arena, result->when));
    if (r->about->kind == REPORT_DELAY)
        put(b, "Will-Retry-Until", NULL,
            date(b->arena, arrived + conf->maximal_queue_lifetime * 1000));
}

struct str
status_part(const struct notice *r)
{
    const struct subject *s = r->about;
    const struct envelope *e = &s->file.envelope;
    const char *name = r->bounce->conf->mail_name;
    struct buf b = buf_in(s->a);
    struct queue_cursor c = queue_rcpts(&s->file);
    struct rcpt rcpt;

    put(&b, "Reporting-MTA", "dns", str_from(r->host));
    put(&b, "Original-Envelope-Id", NULL, e->envid);
    put(&b, arena_fmt(s->a, "X-%s-Queue-ID", name), NULL, str_from(s->id));
    if (e->sender.len)
        put_address(&b, arena_fmt(s->a, "X-%s-Sender", name), e->sender);
    put(&b, "Arrival-Date", NULL, date(s->a, e->arrived));
    while (queue_next(&c, &rcpt))
        if (report_covers(r, c.next - 1, &rcpt))
            put_recipient(r, &b, &rcpt, &s->results[c.next - 1]);
    return buf_str(&b);
}
