/* The lines that are sent. */
#include "auth/dovecot_words.h"
#include "mail/base64.h"

void
dovecot_put_end(struct buf *b)
{
    buf_addc(b, '\n');
}

void
dovecot_put_field(struct buf *b, struct str name, struct str value)
{
    buf_addc(b, '\t');
    dovecot_escape(b, name);
    if (value.p) {
        buf_addc(b, '=');
        dovecot_escape(b, value);
    }
}

/* A field where there is something to say. */
static void
put_text(struct buf *b, const char *name, struct str value)
{
    if (value.len > 0)
        dovecot_put_field(b, str_from(name), value);
}

static void
put_flag(struct buf *b, const char *name, bool set)
{
    if (set)
        buf_fmt(b, "\t%s", name);
}

void
dovecot_put_version(struct buf *b)
{
    buf_fmt(b, "VERSION\t%d\t%d\n", DOVECOT_MAJOR, DOVECOT_MINOR);
}

void
dovecot_put_number(struct buf *b, const char *verb, uint64_t number)
{
    buf_fmt(b, "%s\t%llu\n", verb, (unsigned long long)number);
}

void
dovecot_put_cookie(struct buf *b, const uint8_t cookie[16])
{
    buf_add(b, S("COOKIE\t"));
    for (size_t i = 0; i < 16; i++)
        buf_fmt(b, "%02x", cookie[i]);
    dovecot_put_end(b);
}

void
dovecot_put_mech(struct buf *b, const struct sasl_mech *mech)
{
    buf_fmt(b, "MECH\t%s", mech->name);
    for (const struct dovecot_property *p = dovecot_properties; p->word; p++)
        put_flag(b, p->word, mech->properties & p->bit);
    put_flag(b, "private", mech->properties & DOVECOT_PRIVATE);
    dovecot_put_end(b);
}

void
dovecot_put_done(struct buf *b)
{
    buf_add(b, S("DONE\n"));
}

void
dovecot_put_cont(struct buf *b, uint32_t id, struct str data)
{
    buf_fmt(b, "CONT\t%u\t", id);
    base64_encode(b, data);
    dovecot_put_end(b);
}

void
dovecot_put_ok(struct buf *b, uint32_t id, const struct dovecot_reply *reply)
{
    buf_fmt(b, "OK\t%u", id);
    put_text(b, "user", reply->user);
    put_flag(b, "nologin", reply->nologin);
    if (reply->resp.len > 0) {
        buf_add(b, S("\tresp="));
        base64_encode(b, reply->resp);
    }
}

void
dovecot_put_fail(struct buf *b, uint32_t id, const struct dovecot_reply *reply)
{
    buf_fmt(b, "FAIL\t%u", id);
    put_text(b, "user", reply->user);
    for (const struct dovecot_failure *f = dovecot_failures; f->word; f++)
        if (f->means == reply->code)
            buf_fmt(b, "\t%s\tcode=%s", f->word, f->code);
    put_flag(b, "nodelay", reply->nodelay);
    put_text(b, "reason", reply->reason);
}

void
dovecot_put_found(struct buf *b, const char *verb, uint32_t id, struct str user)
{
    buf_fmt(b, "%s\t%u\t", verb, id);
    dovecot_escape(b, user);
}

void
dovecot_put_notfound(struct buf *b, uint32_t id)
{
    buf_fmt(b, "NOTFOUND\t%u\n", id);
}

void
dovecot_put_user(struct buf *b, uint32_t id, struct str user,
                 struct str service)
{
    dovecot_put_found(b, "USER", id, user);
    dovecot_put_field(b, S("service"), service);
    dovecot_put_end(b);
}

static void
put_binding(struct buf *b, const struct sasl_binding *binding)
{
    if (binding->data.len == 0)
        return;
    buf_add(b, S("\tbinding="));
    dovecot_escape(b, binding->type);
    buf_addc(b, ':');
    base64_encode(b, binding->data);
}

void
dovecot_put_auth(struct buf *b, const struct dovecot_request *r)
{
    buf_fmt(b, "AUTH\t%u\t", r->id);
    dovecot_escape(b, r->mech);
    for (const struct dovecot_parameter *p = dovecot_parameters; p->word; p++) {
        const void *at = (const char *)r + p->at;

        if (p->kind == IS_ALIAS)
            continue;
        if (p->kind == IS_TEXT)
            put_text(b, p->word, *(const struct str *)at);
        else if (str_eq(str_from(p->word), S("secured")))
            put_flag(b, r->tls ? "secured=tls" : "secured",
                     r->secured || r->tls);
        else
            put_flag(b, p->word, *(const bool *)at);
    }
    for (size_t i = 0; i < SASL_BINDINGS; i++)
        put_binding(b, &r->bindings[i]);
    if (r->has_resp) {
        buf_add(b, r->resp.len > 0 ? S("\tresp=") : S("\tresp=="));
        base64_encode(b, r->resp);
    }
    dovecot_put_end(b);
}

void
dovecot_put_cancel(struct buf *b, uint32_t id)
{
    buf_fmt(b, "CANCEL\t%u\n", id);
}
