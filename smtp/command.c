#include "command.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "mail/address.h"
#include "mail/dsn.h"
#include "mail/xtext.h"

/* A line end in an address would be a command of somebody else's. */
static bool
has_control(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] < 32 || s.p[i] == 127)
            return true;
    return false;
}

static enum rc
wire_form(const struct job *j, struct str addr, struct str *out,
          struct why *why)
{
    struct generic *g = j->settings->generic;

    if (g && generic_map(g, j->arena, addr, &addr, why) != OK)
        return TEMP;
    *out = j->settings->quote_rfc821_envelope ? address_quote(j->arena, addr)
                                              : addr;
    if (has_control(*out) || out->len > ADDRESS_MAX)
        return fail(why, "5.1.3", "bad address syntax");
    return OK;
}

enum rc
command_prepare(struct job *j, struct why *why)
{
    enum rc rc = wire_form(j, j->m.sender, &j->sender, why);

    if (rc == PERM)
        return fail(why, "5.1.7", "bad address syntax of the sender");
    if (rc == TEMP)
        return TEMP;
    for (size_t i = 0; i < j->count; i++) {
        struct job_rcpt *r = &j->rcpts[i];

        if (wire_form(j, r->in.addr, &r->wire, why) != OK)
            job_refuse(j, r, why);
    }
    return OK;
}

struct str
command_mail(const struct session *s, const struct job *j,
             const struct content *c)
{
    struct buf b = buf_in(j->arena);
    unsigned flags = (unsigned)j->m.flags;

    buf_fmt(&b, "MAIL FROM:<%.*s>", STR(j->sender));
    if (session_offers(s, SMTP_SIZE) && !c->convert)
        buf_fmt(&b, " SIZE=%lld", (long long)content_size(c));
    if (session_offers(s, SMTP_EIGHT_BIT) && (flags & ENVELOPE_8BIT))
        buf_add(&b, S(" BODY=8BITMIME"));
    if (session_offers(s, SMTP_DSN)) {
        struct str envid = xtext_encode(j->arena, j->m.envid);

        if (envid.len > 0)
            buf_fmt(&b, " ENVID=%.*s", STR(envid));
        if (flags & (ENVELOPE_RET_FULL | ENVELOPE_RET_HDRS))
            buf_fmt(&b, " RET=%s", flags & ENVELOPE_RET_FULL ? "FULL" : "HDRS");
    }
    if (session_offers(s, SMTP_UTF8) && (flags & ENVELOPE_UTF8))
        buf_add(&b, S(" SMTPUTF8"));
    if (s->logged_in && s->settings->send_dummy_mail_auth)
        buf_add(&b, S(" AUTH=<>"));
    buf_add(&b, S("\r\n"));
    return buf_str(&b);
}

/* What the recipient was called first (RFC 3461 5.2.1). */
static struct str
original(const struct session *s, const struct job *j, const struct job_rcpt *r)
{
    struct str addr = r->in.orig.len > 0 ? r->in.orig : r->in.addr;
    bool utf8 = session_offers(s, SMTP_UTF8) && (j->m.flags & ENVELOPE_UTF8);

    if (r->in.orcpt.len > 0)
        return dsn_orcpt_text(j->arena, r->in.orcpt, utf8);
    addr = address_quote(j->arena, addr);

    const char *type = utf8_is_ascii(addr) ? "rfc822" : "utf-8";

    return dsn_orcpt_text(
        j->arena, str_from(arena_fmt(j->arena, "%s;%.*s", type, STR(addr))),
        utf8);
}

struct str
command_rcpt(const struct session *s, const struct job *j,
             const struct job_rcpt *r)
{
    struct buf b = buf_in(j->arena);

    buf_fmt(&b, "RCPT TO:<%.*s>", STR(r->wire));
    if (session_offers(s, SMTP_DSN)) {
        struct str orcpt = original(s, j, r);
        struct str notify = dsn_notify_text(j->arena, (unsigned)r->in.notify);

        if (orcpt.len > 0)
            buf_fmt(&b, " ORCPT=%.*s", STR(orcpt));
        if (notify.len > 0)
            buf_fmt(&b, " NOTIFY=%.*s", STR(notify));
    }
    buf_add(&b, S("\r\n"));
    return buf_str(&b);
}
