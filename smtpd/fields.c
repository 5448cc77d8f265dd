/*
 * The header on its way through: hops are counted, fields that must not go on
 * are dropped, addresses of local mail are completed, and what local mail
 * lacks is added (RFC 6409 part 8).
 */
#include <stdio.h>
#include <time.h>

#include "intake.h"

#include "base/log.h"
#include "mail/address.h"
#include "mail/addrlist.h"
#include "mail/date.h"
#include "mail/lines.h"

/* Memory that a field may need beyond its own size. */
#define ROOM_MIN ((size_t)16 << 20)

static bool
seen(const struct message *m, enum header_id id)
{
    return m->header.seen & (uint64_t)1 << id;
}

static void
log_message_id(struct message *m)
{
    struct str line = lines_message_id(m->a, m->id, m->env.message_id);

    log_info("%.*s", STR(line));
}

/* ---- addresses ---- */

struct rewriting {
    struct router *router;
    enum route_role role;
};

static enum rc
rewrite_one(void *self, struct arena *a, struct str addr, struct str *out,
            struct why *why)
{
    const struct rewriting *r = self;

    return route_rewrite(r->router, a, addr, r->role, out, why);
}

/* True if a changed field was written in its place. */
static bool
rewrite(struct message *m, const struct header_field *f)
{
    bool sender = header_flags(f->id) & HEADER_SENDER;
    struct rewriting r = {
        .router = m->in->router,
        .role = m->local ? (sender ? ROUTE_HEADER_SENDER : ROUTE_HEADER_RCPT)
                : sender ? ROUTE_REMOTE_SENDER
                         : ROUTE_REMOTE_RCPT,
    };
    struct str body;
    struct why why;

    if (m->in->override & OVERRIDE_MAPPINGS || f->cut ||
        (!m->local && *m->in->conf->remote_header_rewrite_domain == '\0'))
        return false;
    enum rc rc = addrlist_rewrite(m->a, f->body, rewrite_one, &r, &body, &why);

    message_fail(m, rc, &why);
    if (rc != OK)
        return false;
    if (body.p == f->body.p && body.len == f->body.len)
        return false;
    message_write(m, str_sub(f->whole, 0, (size_t)(f->body.p - f->whole.p)));
    message_write(m, body);
    message_write(m, S("\n"));
    return true;
}

/* ---- each field ---- */

static bool
is_dropped(struct message *m, struct str name)
{
    char lower[64];

    if (name.len > sizeof lower)
        return false;
    for (size_t i = 0; i < name.len; i++)
        lower[i] = to_lower(name.p[i]);
    return hash_get(m->in->dropped, (struct str){lower, name.len}) != NULL;
}

/* With a text that stands for itself. */
static void
refuse(struct message *m, enum rc rc, const struct why *why)
{
    if (rc == PERM && m->rc == OK)
        m->verbatim = true;
    message_fail(m, rc, why);
}

static enum header_verdict
on_field(void *self, const struct header_field *f)
{
    struct message *m = self;
    unsigned flags = header_flags(f->id);
    struct why why;

    if (m->rc != OK)
        return HEADER_DROP;
    if (arena_room(m->a) < ROOM_MIN) {
        message_fail(m, fail(&why, "5.3.4", "message header too large"), &why);
        return HEADER_DROP;
    }
    if (m->watch) {
        enum rc rc = m->watch->field(m->watcher, f, &why);

        refuse(m, rc, &why);
        if (rc != OK)
            return HEADER_DROP;
    }
    if (f->id == HEADER_ID_MESSAGE_ID && m->env.message_id.p == NULL) {
        m->env.message_id = arena_str(m->a, str_trim(f->body));
        log_message_id(m);
    }
    if (message_filtered(m)) {
        const struct str *instead = filter_field(m, f);

        if (instead) {
            message_write(m, *instead);
            return HEADER_DROP;
        }
    }
    if (is_dropped(m, f->name))
        return HEADER_DROP;
    if (flags & (HEADER_SENDER | HEADER_RCPT) && rewrite(m, f))
        return HEADER_DROP;
    return HEADER_KEEP;
}

/* ---- what is missing ---- */

static void
add(struct message *m, const char *name, struct str value)
{
    struct buf b = buf_in(m->a);

    header_put(&b, name, value);
    message_write(m, buf_str(&b));
}

/* <20260206101530.3A2F41234@host> */
static void
add_message_id(struct message *m, bool resent)
{
    time_t t = (time_t)(m->env.arrived / 1000000);
    struct tm tm;
    char stamp[32];

    gmtime_r(&t, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%d%H%M%S", &tm);

    struct str id = str_from(arena_fmt(m->a, "<%s.%.*s@%s>", stamp, STR(m->id),
                                       m->in->conf->myhostname));

    add(m, resent ? "Resent-Message-Id" : "Message-Id", id);
    if (!resent) {
        m->env.message_id = id;
        log_message_id(m);
    }
}

/* Name <address>, the name in quotes where it is not plain words. */
static struct str
author(struct message *m)
{
    struct str addr = address_quote(
        m->a, m->env.sender.len > 0 ? m->env.sender : S("MAILER-DAEMON"));
    struct buf b = buf_in(m->a);

    if (m->full_name.len == 0)
        return addr;
    buf_addc(&b, '"');
    for (size_t i = 0; i < m->full_name.len; i++) {
        if (strchr("\"\\", m->full_name.p[i]))
            buf_addc(&b, '\\');
        buf_addc(&b, m->full_name.p[i]);
    }
    buf_fmt(&b, "\" <%.*s>", STR(addr));
    return buf_str(&b);
}

static void
add_missing(struct message *m)
{
    bool resent = seen(m, HEADER_ID_RESENT_FROM) ||
                  seen(m, HEADER_ID_RESENT_TO) || seen(m, HEADER_ID_RESENT_CC);
    enum header_id date = resent ? HEADER_ID_RESENT_DATE : HEADER_ID_DATE;
    enum header_id from = resent ? HEADER_ID_RESENT_FROM : HEADER_ID_FROM;
    enum header_id id =
        resent ? HEADER_ID_RESENT_MESSAGE_ID : HEADER_ID_MESSAGE_ID;

    if (!seen(m, id))
        add_message_id(m, resent);
    if (!seen(m, date))
        add(m, resent ? "Resent-Date" : "Date",
            date_format(m->a, m->env.arrived / 1000000));
    if (!seen(m, from))
        add(m, resent ? "Resent-From" : "From", author(m));
}

/* "To: undisclosed-recipients:;" where the site wants one. */
static void
add_undisclosed(struct message *m)
{
    const char *field = m->in->conf->undisclosed_recipients_header;

    if (*field == '\0' || seen(m, HEADER_ID_TO) || seen(m, HEADER_ID_CC))
        return;
    message_write(m, str_from(arena_fmt(m->a, "%s\n", field)));
}

static void
on_end(void *self)
{
    struct message *m = self;
    const struct conf *c = m->in->conf;
    struct why why;

    if (m->rc != OK)
        return;
    if (m->watch) {
        enum rc rc = m->watch->end(m->watcher, &why);

        refuse(m, rc, &why);
        if (rc != OK)
            return;
    }
    /* Ours is one more. */
    if (!m->unchecked && m->header.received + 1 > c->hopcount_limit) {
        log_warn("%.*s: message rejected: hopcount exceeded", STR(m->id));
        message_fail(m, fail(&why, "5.4.0", "too many hops"), &why);
        return;
    }
    if (m->local || c->always_add_missing_headers) {
        add_missing(m);
        add_undisclosed(m);
    }
    if (m->env.message_id.p == NULL)
        log_info("%.*s: message-id=<>", STR(m->id));
}

/* The body begins with the empty line: until then it is the header. */
static void
on_put(void *self, struct str text)
{
    struct message *m = self;

    if (m->header.in_body && !m->settled)
        message_settle(m);
    if (m->header.in_body && message_filtered(m))
        filter_body(m, text);
    else
        message_write(m, text);
}

void
fields_begin(struct message *m)
{
    static const struct header_calls calls = {on_field, on_end, on_put};
    int64_t limit = m->in->conf->header_size_limit;

    header_filter_begin(&m->header, m->a, limit < 1024 ? 1024 : (size_t)limit,
                        &calls, m);
}
