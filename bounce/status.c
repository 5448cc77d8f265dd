/*
 * message/delivery-status (RFC 3464), and its form for addresses outside
 * ASCII (RFC 6533).
 */
#include "base/utf8.h"
#include "mail/address.h"
#include "mail/date.h"
#include "mail/dsn.h"
#include "mail/header.h"
#include "mail/xtext.h"
#include "report.h"

/* Values may come from strangers: no control bytes, nothing but ASCII in the
 * plain form. header_put folds them. */
static void
put(const struct notice *r, struct buf *b, const char *name, const char *type,
    struct str value)
{
    struct buf line = buf_in(b->arena);

    if (value.len == 0)
        return;
    if (type)
        buf_fmt(&line, "%s; ", type);
    buf_add(&line, report_text(b->arena, value, !report_is_utf8(r)));
    header_put(b, name, buf_str(&line));
}

static void
put_date(const struct notice *r, struct buf *b, const char *name,
         int64_t microseconds)
{
    put(r, b, name, NULL, date_format(b->arena, microseconds / 1000000));
}

/* An address outside ASCII has a type of its own, and in the plain form is
 * written with \x{...}. */
static void
put_address(const struct notice *r, struct buf *b, const char *name,
            struct str addr)
{
    struct str shown = address_quote(b->arena, addr);

    if (utf8_is_ascii(shown))
        put(r, b, name, "rfc822", shown);
    else
        put(r, b, name, "utf-8",
            report_is_utf8(r) ? shown : xtext_encode_utf8(b->arena, shown));
}

static void
put_original(const struct notice *r, struct buf *b, const struct rcpt *rcpt)
{
    struct str orcpt = rcpt->orcpt;

    if (orcpt.len == 0) {
        if (rcpt->orig.len)
            put_address(r, b, "Original-Recipient", rcpt->orig);
        return;
    }
    if (!utf8_is_ascii(orcpt) && !report_is_utf8(r))
        orcpt = dsn_orcpt_text(b->arena, orcpt, false);
    put(r, b, "Original-Recipient", NULL, orcpt);
}

/* The Action, and the Status where the result has none. */
struct outcome {
    const char *action, *status;
};

static const char *
sent_action(const struct queue_result *result)
{
    return result->action == ACTION_RELAYED    ? "relayed"
           : result->action == ACTION_EXPANDED ? "expanded"
                                               : "delivered";
}

static struct outcome
outcome_of(const struct notice *r, const struct queue_result *result)
{
    /* Nothing was delivered by sendmail -bv; Postfix has words for that. */
    bool probe = r->about->file.envelope.flags & ENVELOPE_BV;

    switch (result->state) {
    case QUEUE_FAILED:
        return (struct outcome){probe ? "undeliverable" : "failed", "5.0.0"};
    case QUEUE_SENT:
        return (struct outcome){probe ? "deliverable" : sent_action(result),
                                "2.0.0"};
    default:
        return (struct outcome){"delayed", "4.0.0"};
    }
}

/* Its time in the queue begins when it may go. */
static int64_t
since(const struct envelope *e)
{
    return e->release > e->arrived ? e->release : e->arrived;
}

static void
put_recipient(const struct notice *r, struct buf *b, const struct rcpt *rcpt,
              const struct queue_result *result)
{
    const struct conf *conf = r->bounce->conf;
    struct outcome outcome = outcome_of(r, result);
    struct str status =
        dsn_is_code(result->dsn) ? result->dsn : str_from(outcome.status);

    buf_add(b, S("\n"));
    put_address(r, b, "Final-Recipient", rcpt->addr);
    put_original(r, b, rcpt);
    put(r, b, "Action", NULL, str_from(outcome.action));
    put(r, b, "Status", NULL, status);
    put(r, b, "Remote-MTA", "dns", result->remote);
    if (result->reply.len)
        put(r, b, "Diagnostic-Code", "smtp", result->reply);
    else
        put(r, b, "Diagnostic-Code", "x-posta", result->text);
    if (result->when)
        put_date(r, b, "Last-Attempt-Date", result->when);
    if (r->about->kind == REPORT_DELAY)
        put_date(r, b, "Will-Retry-Until",
                 since(&r->about->file.envelope) +
                     conf->maximal_queue_lifetime * 1000);
}

struct str
status_part(const struct notice *r)
{
    const struct subject *s = r->about;
    const struct envelope *e = &s->file.envelope;
    struct buf b = buf_in(s->a);
    struct queue_cursor c = queue_rcpts(&s->file);
    struct rcpt rcpt;

    put(r, &b, "Reporting-MTA", "dns", str_from(r->host));
    put(r, &b, "Original-Envelope-Id", NULL, e->envid);
    put(r, &b, "X-Posta-Queue-Id", NULL, str_from(s->id));
    if (e->sender.len)
        put_address(r, &b, "X-Posta-Sender", e->sender);
    put_date(r, &b, "Arrival-Date", e->arrived);
    if (e->release)
        put(r, &b, "Future-Release-Request", "until",
            date_format_internet(b.arena, e->release / 1000000));
    while (queue_next(&c, &rcpt))
        if (report_covers(r, c.next - 1, &rcpt))
            put_recipient(r, &b, &rcpt, &s->results[c.next - 1]);
    return buf_str(&b);
}
