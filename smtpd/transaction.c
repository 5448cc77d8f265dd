/*
 * MAIL and RCPT: who sends what to whom, and may they; and the two commands
 * that ask about addresses without sending, VRFY and ETRN.
 */
#include <time.h>

#include "smtpd.h"

#include "base/log.h"
#include "mail/address.h"
#include "mail/command.h"
#include "mail/domain.h"

/* Extensions whose parameters are taken after HELO too: clients are known to
 * send them. */
#define TAKEN_ANYWAY (SMTP_SIZE | SMTP_EIGHT_BIT | SMTP_DSN)

static unsigned
usable(const struct session *s)
{
    return s->esmtp ? s->offered : TAKEN_ANYWAY & ~s->server->discard;
}

static void
lookup_error(struct session *s, const struct why *why)
{
    log_warn("%s", why->text);
    reply(s, "451 4.3.0 Temporary lookup error");
}

/* A refusal of a rule: some codes also end the session. */
static void
refuse(struct session *s, const char *text)
{
    bool end = strncmp(text, "421", 3) == 0 || strncmp(text, "521", 3) == 0;

    reply(s, text);
    if (end)
        s->end = "";
}

static bool
too_large(const struct session *s, uint64_t size)
{
    int64_t limit = s->conf->message_size_limit;

    return limit > 0 && size > (uint64_t)limit;
}

static void
fill_envelope(struct session *s, const struct smtp_mail *with)
{
    struct message *m = s->message;
    const struct client *o = &s->origin;
    uint64_t port = 0;

    m->env.flags = with->flags;
    m->env.envid = arena_str(s->mail, with->envid);
    if (with->verp)
        m->env.verp = with->verp_delimiters.len > 0
                          ? arena_str(s->mail, with->verp_delimiters)
                          : str_from(s->conf->default_verp_delimiters);
    m->env.filter = str_from(s->conf->content_filter);
    (void)str_num(o->port, &port);
    m->env.origin = (struct origin){
        .name = o->name,
        .addr = o->addr,
        .helo = s->forwarded ? o->helo : s->helo,
        .proto = s->forwarded ? o->proto : str_from(session_proto(s)),
        .login = o->login,
        .port = (int64_t)port,
    };
    m->announced = (int64_t)s->size;
    m->client = s->client.shown;
    m->actions = s->actions;
}

/* ---- MAIL ---- */

/* RFC 4865 5: an interval has up to nine digits. */
#define RELEASE_MAX 999999999

int64_t
transaction_release_limit(const struct session *s)
{
    int64_t limit = s->conf->smtpd_future_release_limit / 1000;

    return limit > RELEASE_MAX ? RELEASE_MAX : limit;
}

/* When it is to be sent, in microseconds; NULL, or the reply where that may
 * not be. What is to be sent in the past is sent now. */
static const char *
find_release(struct session *s, const struct smtp_mail *with, int64_t *release)
{
    int64_t now = time(NULL), at = with->hold_until;

    *release = 0;
    if (with->hold_for)
        at = now + with->hold_for;
    if (at == 0)
        return NULL;
    if (s->client.login.len == 0)
        return "530 5.7.0 Authentication required";
    if (at > now + transaction_release_limit(s))
        return "501 5.5.4 Error: too far in the future";
    if (at > now)
        *release = at * 1000000;
    return NULL;
}

void
do_mail(struct session *s, struct str args)
{
    struct mail_args m;
    struct why why;
    const char *text;
    int64_t release;

    if (s->state == STATE_NEW &&
        (s->conf->smtpd_helo_required || s->server->lmtp)) {
        reply(s, s->server->lmtp ? "503 5.5.1 Error: send LHLO first"
                                 : "503 5.5.1 Error: send HELO/EHLO first");
        return;
    }
    if (!limits_mail(s))
        return;
    text = command_mail(s->line, args, usable(s),
                        s->conf->strict_rfc821_envelopes, &m);
    if (text) {
        reply(s, text);
        return;
    }
    text = find_release(s, &m.with, &release);
    if (text) {
        reply(s, text);
        return;
    }
    if (too_large(s, m.with.size)) {
        reply(s, "552 5.3.4 Message size exceeds fixed limit");
        return;
    }
    s->sender = arena_str(s->mail, m.sender);
    s->sender_full = route_complete(s->server->router, s->mail, s->sender);
    s->size = m.with.size;
    s->utf8 = m.with.flags & ENVELOPE_UTF8;
    /* From a stranger it is worth nothing (RFC 4954 5). */
    if (s->client.login.len > 0)
        s->sender_login = login_printable(s->mail, m.with.auth);
    if (!s->conf->smtpd_delay_reject &&
        rules_run(s, STAGE_SENDER, &text) == REFUSE) {
        refuse(s, text);
        session_reset(s);
        return;
    }
    s->message = message_new(&s->server->intake, s->mail);
    if (message_sender(s->message, s->sender_full, &why) != OK) {
        lookup_error(s, &why);
        session_reset(s);
        return;
    }
    fill_envelope(s, &m.with);
    s->message->env.release = release;
    s->state = STATE_MAIL;
    reply(s, "250 2.1.0 Ok");
}

/* ---- may this recipient be? ---- */

/* Whether users are known is checked for everybody, also without a rule. */
static enum verdict
check_listed(struct session *s, enum subject subject, const char **text)
{
    const struct restriction what = {.subject = subject};
    const struct rule rule = {.what = &what};
    struct ask q = {
        .s = s,
        .stage = STAGE_RCPT,
        .name = s->rcpt,
        .class = CLASS_OF_RECIPIENT,
    };
    enum verdict v = check_unlisted(&q, &rule);

    *text = q.reply;
    return v;
}

static enum verdict
run_delayed(struct session *s, const char **text)
{
    if (!s->conf->smtpd_delay_reject)
        return DUNNO;
    s->if_permit = s->if_reject = (struct deferral){0};
    if (rules_run(s, STAGE_CLIENT, text) == REFUSE ||
        (s->helo.len > 0 && rules_run(s, STAGE_HELO, text) == REFUSE) ||
        (s->sender.p && rules_run(s, STAGE_SENDER, text) == REFUSE))
        return REFUSE;
    return DUNNO;
}

static enum verdict
run_lists(struct session *s, const char **text)
{
    bool relay_first = s->conf->smtpd_relay_before_recipient_restrictions;
    enum stage first = relay_first ? STAGE_RELAY : STAGE_RCPT;
    enum stage second = relay_first ? STAGE_RCPT : STAGE_RELAY;
    unsigned override = s->server->intake.override;

    if (run_delayed(s, text) == REFUSE || rules_run(s, first, text) == REFUSE ||
        rules_run(s, second, text) == REFUSE)
        return REFUSE;
    if (s->conf->smtpd_reject_unlisted_recipient &&
        !(override & OVERRIDE_UNKNOWN) &&
        check_listed(s, OF_RCPT, text) == REFUSE)
        return REFUSE;
    if (s->conf->smtpd_reject_unlisted_sender && s->sender.p &&
        check_listed(s, OF_SENDER, text) == REFUSE)
        return REFUSE;
    return rules_settle(s, text);
}

/* The postmaster can always be reached (RFC 5321 4.5.1). */
static enum verdict
judge(struct session *s, struct str addr, const char **text)
{
    s->rcpt = addr;
    s->rcpt_full = route_complete(s->server->router, s->line, addr);
    s->rcpt_known = false;
    if (str_ieq(addr, S("postmaster")))
        return DUNNO;
    return run_lists(s, text);
}

/* ---- RCPT ---- */

static void
too_many(struct session *s)
{
    const char *text = "452 4.5.3 Error: too many recipients";

    /* Honest clients send the rest with another message (RFC 5321 4.5.3.1.10),
     * so it is no error until it is a flood. */
    if (s->overshoot++ < s->conf->smtpd_recipient_overshoot_limit)
        reply_kindly(s, text);
    else
        reply(s, text);
}

/* LMTP gets a reply for each, in order. */
static void
note_taken(struct session *s, struct str orig, struct str addr)
{
    struct taken **t = &s->taken;

    while (*t)
        t = &(*t)->next;
    *t = arena_make(s->mail, struct taken);
    (*t)->orig = orig;
    (*t)->addr = addr;
}

/* Whom the last RCPT has become, where that is one new recipient. */
static const struct rcpt *
only_new(const struct session *s, size_t before)
{
    const struct envelope *e = &s->message->env;

    return e->nrcpts == before + 1 ? &e->rcpts[before] : NULL;
}

/* The postmaster can always be reached. */
static bool
has_room(struct session *s, const struct rcpt *r)
{
    const char *text;

    if (r == NULL || str_ieq(s->rcpt, S("postmaster")) ||
        !room_is_full(s, r, (int64_t)s->size, s->rcpt, &text))
        return true;
    message_take_back(s->message, r->addr);
    log_decision(s, "reject", text);
    reply(s, text);
    return false;
}

static bool
accept_rcpt(struct session *s, const struct rcpt_args *r)
{
    struct rcpt given = {
        .addr = arena_str(s->mail, s->rcpt_full),
        .orig = arena_str(s->mail, s->rcpt),
        .orcpt = arena_str(s->mail, r->with.orcpt),
        .notify = r->with.notify,
    };
    size_t before = s->message->env.nrcpts;
    const struct rcpt *only;
    struct why why;

    if (arena_room(s->mail) < MAIL_ROOM_MIN) {
        reply_kindly(s, "452 4.5.3 Error: too many recipients");
        return false;
    }
    if (message_add(s->message, &given, &why) != OK) {
        lookup_error(s, &why);
        return false;
    }
    only = only_new(s, before);
    if (!has_room(s, only))
        return false;
    if (s->accepted++ == 0)
        s->first_rcpt = given.orig;
    if (s->server->lmtp)
        note_taken(s, given.orig, only ? only->addr : S(""));
    return true;
}

static void
take_rcpt(struct session *s, struct str args)
{
    struct rcpt_args r;
    const char *text =
        command_rcpt(s->line, args, usable(s), s->conf->strict_rfc821_envelopes,
                     s->utf8, &r);

    if (text) {
        reply(s, text);
        return;
    }
    if (judge(s, r.addr, &text) == REFUSE) {
        refuse(s, text);
        return;
    }
    if (!accept_rcpt(s, &r))
        return;
    s->state = STATE_RCPT;
    /* The queue makes a file while the client sends its next command. */
    message_ask(s->message);
    reply(s, "250 2.1.5 Ok");
}

void
do_rcpt(struct session *s, struct str args)
{
    s->tried++;
    if (s->accepted >= s->conf->smtpd_recipient_limit)
        too_many(s);
    else if (limits_rcpt(s))
        take_rcpt(s, args);
    s->rcpt = s->rcpt_full = (struct str){0};
}

/* ---- VRFY ---- */

void
do_vrfy(struct session *s, struct str args)
{
    struct str addr;
    const char *text;
    struct why why;

    if (s->conf->disable_vrfy_command) {
        reply(s, "502 5.5.1 VRFY command is disabled");
        return;
    }
    if (s->state == STATE_NEW && s->conf->smtpd_helo_required) {
        reply(s, "503 5.5.1 Error: send HELO/EHLO first");
        return;
    }
    if (args.len == 0) {
        reply(s, "501 5.5.4 Syntax: VRFY address");
        return;
    }
    if (path_parse(s->line, &args, PATH_UTF8, &addr, &why) != OK ||
        args.len > 0) {
        reply(s, "501 5.1.3 Bad recipient address syntax");
        return;
    }
    if (judge(s, addr, &text) == REFUSE)
        refuse(s, text);
    else
        replyf(s, "252 2.0.0 %.*s", STR(address_quote(s->line, s->rcpt)));
    s->rcpt = s->rcpt_full = (struct str){0};
}

/* ---- ETRN (RFC 1985) ---- */

static bool
may_flush(struct session *s, struct str site)
{
    struct why why;
    bool found = false;

    if (match_domain(s->server->flushable, site, &found, &why) != OK)
        log_warn("%s", why.text);
    if (!found)
        replyf(s, "459 <%.*s>: service unavailable", STR(site));
    return found;
}

static void
flush(struct session *s, struct str site)
{
    struct intake *in = &s->server->intake;
    struct msg_flush_site ask = {.site = site};

    if (in->broken || !send_flush_site(in->qmgr, &ask)) {
        in->broken = true;
        reply_kindly(s, "458 Unable to queue messages");
        return;
    }
    reply(s, "250 Queuing started");
}

void
do_etrn(struct session *s, struct str args)
{
    const char *text;
    struct str site = args;

    if (s->state == STATE_NEW && s->conf->smtpd_helo_required) {
        reply(s, "503 Error: send HELO/EHLO first");
        return;
    }
    if (args.len == 0) {
        reply(s, "500 Syntax: ETRN domain");
        return;
    }
    if (str_starts(site, S("@")) || str_starts(site, S("#")))
        site = str_sub(site, 1, site.len);
    if (!domain_is_hostname(site) && !domain_is_literal(site, NULL)) {
        reply(s, "501 Error: invalid parameter syntax");
        return;
    }
    s->etrn = arena_str(s->mail, site);
    if (rules_run(s, STAGE_ETRN, &text) == REFUSE ||
        rules_settle(s, &text) == REFUSE)
        refuse(s, text);
    else if (may_flush(s, site))
        flush(s, site);
    s->etrn = (struct str){0};
}
