#include "mail/lines.h"

#include "base/buf.h"
#include "mail/address.h"

#define MILLION INT64_C(1000000)

/* "12.34" without the zeros at its end, of 12 and 340000. */
static struct str
decimal(struct arena *a, int64_t seconds, int64_t hundredths)
{
    char *text = hundredths % 10
                     ? arena_fmt(a, "%lld.%02lld", (long long)seconds,
                                 (long long)hundredths)
                     : arena_fmt(a, "%lld.%lld", (long long)seconds,
                                 (long long)hundredths / 10);

    return str_from(hundredths ? text
                               : arena_fmt(a, "%lld", (long long)seconds));
}

struct str
lines_delay(struct arena *a, int64_t microseconds)
{
    int64_t us = microseconds < 0 ? 0 : microseconds;
    int64_t unit = us >= 10 * MILLION ? MILLION
                   : us >= MILLION    ? MILLION / 10
                                      : MILLION / 100;

    us = (us + unit / 2) / unit * unit;
    return decimal(a, us / MILLION, us % MILLION / (MILLION / 100));
}

static void
add_address(struct buf *b, const char *key, struct str addr)
{
    struct str shown = address_quote(b->arena, addr);

    buf_fmt(b, "%s<%.*s>", key, STR(shown));
}

/* a/b/c/d: before qmgr, in qmgr, connecting, delivering. */
static void
add_delays(struct buf *b, const struct lines_result *r)
{
    int64_t connected = r->connected ? r->connected : r->handed;
    int64_t parts[] = {r->done - r->arrived, r->active - r->arrived,
                       r->handed - r->active, connected - r->handed,
                       r->done - connected};
    static const char *const keys[] = {", delay=", ", delays=", "/", "/", "/"};

    for (size_t i = 0; i < COUNT(parts); i++) {
        buf_add(b, str_from(keys[i]));
        buf_add(b, lines_delay(b->arena, parts[i]));
    }
}

struct str
lines_result(struct arena *a, const struct lines_result *r)
{
    struct buf b = buf_in(a);

    buf_fmt(&b, "%.*s: ", STR(r->id));
    add_address(&b, "to=", r->to);
    if (r->orig_to.len > 0 && !address_eq(r->orig_to, r->to))
        add_address(&b, ", orig_to=", r->orig_to);
    buf_fmt(&b, ", relay=%.*s", STR(r->relay));
    if (r->conn_use > 1)
        buf_fmt(&b, ", conn_use=%d", r->conn_use);
    add_delays(&b, r);
    buf_fmt(&b, ", dsn=%s, status=%s (%.*s)", r->dsn, r->status, STR(r->text));
    return buf_str(&b);
}

struct str
lines_peer(struct arena *a, const struct origin *o, int64_t port)
{
    struct buf b = buf_in(a);

    buf_fmt(&b, "%.*s[%.*s]", STR(o->name), STR(o->addr));
    if (port)
        buf_fmt(&b, ":%lld", (long long)port);
    return buf_str(&b);
}

struct str
lines_reject(struct arena *a, const struct lines_reject *r)
{
    struct buf b = buf_in(a);
    struct str id = r->id.len ? r->id : S("NOQUEUE");

    buf_fmt(&b, "%.*s: %s: %s from %.*s: %.*s;", STR(id), r->verb, r->stage,
            STR(r->peer), STR(r->reply));
    if (r->from.p)
        add_address(&b, " from=", r->from);
    if (r->to.p)
        add_address(&b, " to=", r->to);
    if (r->proto.len)
        buf_fmt(&b, " proto=%.*s", STR(r->proto));
    if (r->helo.len)
        buf_fmt(&b, " helo=<%.*s>", STR(r->helo));
    if (r->login.len)
        buf_fmt(&b, " sasl_username=<%.*s>", STR(r->login));
    return buf_str(&b);
}

static void
add_count(struct buf *b, const char *name, unsigned ok, unsigned total)
{
    if (ok == total && total > 0)
        buf_fmt(b, " %s=%u", name, total);
    else
        buf_fmt(b, " %s=%u/%u", name, ok, total);
}

struct str
lines_disconnect(struct arena *a, struct str peer,
                 const struct lines_count *counts, size_t n)
{
    struct buf b = buf_in(a);
    unsigned ok = 0, total = 0;

    buf_fmt(&b, "disconnect from %.*s", STR(peer));
    for (size_t i = 0; i < n; i++) {
        if (counts[i].total == 0)
            continue;
        add_count(&b, counts[i].name, counts[i].ok, counts[i].total);
        ok += counts[i].ok;
        total += counts[i].total;
    }
    add_count(&b, "commands", ok, total);
    return buf_str(&b);
}

struct str
lines_client(struct arena *a, struct str id, struct str peer, struct str method,
             struct str login, struct str orig_client)
{
    struct buf b = buf_in(a);

    buf_fmt(&b, "%.*s: client=%.*s", STR(id), STR(peer));
    if (method.len)
        buf_fmt(&b, ", sasl_method=%.*s", STR(method));
    if (login.len)
        buf_fmt(&b, ", sasl_username=%.*s", STR(login));
    if (orig_client.len)
        buf_fmt(&b, ", orig_client=%.*s", STR(orig_client));
    return buf_str(&b);
}

struct str
lines_pickup(struct arena *a, struct str id, int64_t uid, struct str sender)
{
    struct buf b = buf_in(a);

    buf_fmt(&b, "%.*s: uid=%lld", STR(id), (long long)uid);
    add_address(&b, " from=", sender);
    return buf_str(&b);
}

struct str
lines_message_id(struct arena *a, struct str id, struct str message_id)
{
    return str_from(
        arena_fmt(a, "%.*s: message-id=%.*s", STR(id), STR(message_id)));
}

struct str
lines_active(struct arena *a, struct str id, struct str sender, int64_t size,
             size_t nrcpt)
{
    struct buf b = buf_in(a);

    buf_fmt(&b, "%.*s: ", STR(id));
    add_address(&b, "from=", sender);
    buf_fmt(&b, ", size=%lld, nrcpt=%zu (queue active)", (long long)size,
            nrcpt);
    return buf_str(&b);
}

struct str
lines_expired(struct arena *a, struct str id, struct str sender,
              const char *status)
{
    struct buf b = buf_in(a);

    buf_fmt(&b, "%.*s: ", STR(id));
    add_address(&b, "from=", sender);
    buf_fmt(&b, ", status=%s, returned to sender", status);
    return buf_str(&b);
}

struct str
lines_notification(struct arena *a, struct str id, const char *what,
                   struct str report)
{
    return str_from(arena_fmt(a, "%.*s: %s notification: %.*s", STR(id), what,
                              STR(report)));
}

struct str
lines_login_failed(struct arena *a, const struct lines_login_failed *f)
{
    struct buf b = buf_in(a);

    if (!f->counted) {
        buf_fmt(&b, "login failed: %s, user=<%.*s>, source=%s", f->what,
                STR(f->user), f->source);
        if (f->address.len)
            buf_fmt(&b, ", rip=%.*s", STR(f->address));
        return buf_str(&b);
    }
    buf_fmt(&b, "%s(%.*s", f->source, STR(f->user));
    if (f->address.len)
        buf_fmt(&b, ",%.*s", STR(f->address));
    if (f->address.len && f->session.len)
        buf_fmt(&b, ",<%.*s>", STR(f->session));
    buf_fmt(&b, "): %s", f->what);
    return buf_str(&b);
}
