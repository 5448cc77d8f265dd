/*
 * Who is told what.
 *
 * A report goes to the envelope sender, from the null sender. Of a message
 * that has none (a report itself) only a postmaster may hear; what goes to
 * him has a sender of its own, and mail from that sender which fails is
 * dropped: so reports never chase each other.
 */
#include "report.h"

#include <time.h>

#include "base/log.h"
#include "mail/address.h"
#include "mail/lines.h"

/* What enum report is in the log, and in notify_classes. */
static const struct kind {
    const char *words, *class;
    enum template_kind template;
} kinds[] = {
    [REPORT_FAILURE] = {"non-delivery",    "bounce", TEMPLATE_FAILURE},
    [REPORT_DELAY] = {"delay",           "delay",  TEMPLATE_DELAY  },
    [REPORT_SUCCESS] = {"delivery status", NULL,     TEMPLATE_SUCCESS},
};

bool
report_covers(const struct notice *r, size_t index, const struct rcpt *rcpt)
{
    const struct subject *s = r->about;

    if (r->only >= 0 && r->only != (int64_t)index)
        return false;
    return queue_reports(&s->file, index, rcpt, &s->results[index], s->kind);
}

bool
report_is_utf8(const struct notice *r)
{
    return r->about->file.envelope.flags & ENVELOPE_UTF8;
}

static bool
class_wanted(const struct conf *conf, const char *class)
{
    struct str rest = str_from(conf->notify_classes), word;

    while (class && str_word(&rest, ", \t\r\n", &word))
        if (str_ieq(word, str_from(class)))
            return true;
    return false;
}

static void
log_report(const struct notice *r, const char *id)
{
    struct arena *a = r->about->a;
    const char *what = arena_fmt(
        a, "%s %s", r->audience == TO_SENDER ? "sender" : "postmaster",
        kinds[r->about->kind].words);
    struct str line =
        lines_notification(a, str_from(r->about->id), what, str_from(id));

    log_info("%.*s", STR(line));
}

static int64_t
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* The report's one recipient, rewritten, expanded and routed as any. */
static enum rc
route(const struct notice *r, struct envelope *e, struct why *why)
{
    struct arena *a = r->about->a;
    struct router *router = r->bounce->router;
    struct rcpt to = {.orig = r->to};

    if (route_rewrite(router, a, r->to, ROUTE_ENVELOPE_RCPT, &to.addr, why) !=
            OK ||
        route_expand(router, a, r->from, &to, &e->rcpts, &e->nrcpts, why) != OK)
        return TEMP;
    return OK;
}

static void
log_message_id(const struct notice *r, const struct produce *p,
               struct str message_id)
{
    struct str line =
        lines_message_id(r->about->a, str_from(p->id), message_id);

    log_info("%.*s", STR(line));
    log_flush();
}

/* Write it into the queue file that was opened for it. */
static enum rc
fill(const struct notice *r, struct envelope *e, struct produce *p,
     struct why *why)
{
    unsigned flags;

    e->message_id =
        str_from(arena_fmt(r->about->a, "<%s.report@%s>", p->id, r->host));
    queue_put_delivery_block(p->out, e->sender,
                             e->nrcpts == 1 ? &e->rcpts[0] : NULL);
    if (compose(r, p, &flags, why) != OK)
        return TEMP;
    e->flags |= flags;
    log_message_id(r, p, e->message_id);
    return produce_finish(p, e, why);
}

static enum rc
submit(const struct notice *r, struct why *why)
{
    const struct bounce *b = r->bounce;
    struct produce p = {.qmgr = b->qmgr, .packet = b->packet};
    struct envelope e = {
        .arrived = now(), .sender = r->from, .flags = ENVELOPE_LOCAL};

    if (route(r, &e, why) != OK ||
        produce_open(&p, r->about->a, b->conf->bounce_size_limit, why) != OK)
        return TEMP;
    if (fill(r, &e, &p, why) != OK) {
        produce_drop(&p);
        return TEMP;
    }
    log_report(r, p.id);
    return OK;
}

/* user+rcpt=its.domain@domain, with the two delimiters of the envelope. The
 * recipient is the one that the sender named. */
static struct str
verp_address(struct arena *a, const struct envelope *e, const struct rcpt *to)
{
    struct str rcpt = to->orig.len ? to->orig : to->addr;

    return str_from(
        arena_fmt(a, "%.*s%c%.*s%c%.*s@%.*s", STR(address_local(e->sender)),
                  e->verp.p[0], STR(address_local(rcpt)), e->verp.p[1],
                  STR(address_domain(rcpt)), STR(address_domain(e->sender))));
}

static bool
wants_verp(const struct notice *r)
{
    const struct envelope *e = &r->about->file.envelope;

    return r->about->kind == REPORT_FAILURE && e->verp.len == 2 &&
           !r->bounce->conf->disable_verp_bounces;
}

/* One report to the sender; with VERP one for each recipient that failed. */
static enum rc
tell_sender(struct notice *r, struct why *why)
{
    const struct subject *s = r->about;
    const struct envelope *e = &s->file.envelope;
    struct queue_cursor c = queue_rcpts(&s->file);
    struct rcpt rcpt;
    enum rc rc = OK;

    r->to = e->sender;
    if (!wants_verp(r))
        return submit(r, why);
    while (rc == OK && queue_next(&c, &rcpt)) {
        r->only = (int64_t)c.next - 1;
        if (!report_covers(r, c.next - 1, &rcpt))
            continue;
        r->to = verp_address(s->a, e, &rcpt);
        rc = submit(r, why);
    }
    r->only = -1;
    return rc;
}

static struct str
own_sender(const struct bounce *b, struct arena *a)
{
    return route_complete(b->router, a,
                          str_from(b->conf->double_bounce_sender));
}

static enum rc
tell_postmaster(struct notice *r, enum audience audience, const char *who,
                struct why *why)
{
    r->audience = audience;
    r->from = own_sender(r->bounce, r->about->a);
    r->to = str_from(who);
    return submit(r, why);
}

static bool
nothing_to_say(const struct notice *r)
{
    struct queue_cursor c = queue_rcpts(&r->about->file);
    struct rcpt rcpt;

    while (queue_next(&c, &rcpt))
        if (report_covers(r, c.next - 1, &rcpt))
            return false;
    return true;
}

/* A message without a sender has failed: a report, mostly. */
static enum rc
tell_of_report(struct notice *r, struct why *why)
{
    const struct conf *conf = r->bounce->conf;

    if (r->about->kind != REPORT_FAILURE ||
        !(class_wanted(conf, "2bounce") || class_wanted(conf, "bounce")))
        return OK;
    return tell_postmaster(r, TO_POSTMASTER,
                           conf->double_bounce_notice_recipient, why);
}

/* What went to a postmaster has failed: the end of the line. */
static enum rc
discard(const struct subject *s)
{
    if (s->kind == REPORT_FAILURE)
        log_warn("%s: undeliverable postmaster notification discarded", s->id);
    return OK;
}

static enum template_kind
template_of(const struct subject *s)
{
    bool asked = s->file.envelope.flags & (ENVELOPE_BV | ENVELOPE_VERBOSE);

    return asked && s->kind == REPORT_SUCCESS ? TEMPLATE_VERIFY
                                              : kinds[s->kind].template;
}

static enum rc
tell(struct notice *r, struct why *why)
{
    const struct subject *s = r->about;
    const struct conf *conf = r->bounce->conf;
    struct str sender = s->file.envelope.sender;

    if (sender.len == 0)
        return tell_of_report(r, why);
    if (address_eq(sender, own_sender(r->bounce, s->a)))
        return discard(s);

    enum rc rc = tell_sender(r, why);

    if (rc != OK || !class_wanted(conf, kinds[s->kind].class))
        return rc;
    return tell_postmaster(r, TO_POSTMASTER_COPY,
                           s->kind == REPORT_DELAY
                               ? conf->delay_notice_recipient
                               : conf->bounce_notice_recipient,
                           why);
}

enum rc
report_all(const struct bounce *b, const struct subject *s, struct why *why)
{
    struct notice r = {.bounce = b,
                       .about = s,
                       .audience = TO_SENDER,
                       .from = S(""),
                       .only = -1,
                       .host = b->conf->myhostname};

    if (s->kind < REPORT_FAILURE || s->kind > REPORT_SUCCESS)
        return fail(why, "4.3.0", "there is no report of kind %lld",
                    (long long)s->kind);
    r.words = &b->words[template_of(s)];
    return nothing_to_say(&r) ? OK : tell(&r, why);
}
