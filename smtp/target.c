#include "target.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/log.h"
#include "mail/domain.h"
#include "sys/sock.h"

#define SMTP_PORT 25

/* What one search shares. */
struct search {
    const struct settings *settings;
    const struct own *own;
    struct dns *dns;
    const struct nexthop *hop;
    struct arena *arena;
    struct targets *out;
    struct why *why;
    enum rc rc;        /* the worst so far of looking up hosts; TEMP stays */
    struct str domain; /* of the exchangers; empty: there are none */
    bool domain_secure;
};

bool
target_may_loop(const struct settings *s, const struct nexthop *hop)
{
    return !s->lmtp && hop->kind != NEXTHOP_UNIX && hop->port == SMTP_PORT;
}

/* A later hard failure does not hide an earlier soft one. */
static void
note(struct search *f, const struct why *why)
{
    if (f->rc == TEMP)
        return;
    f->rc = rc_of(why->dsn);
    *f->why = *why;
}

/* As filters see it: "mx.test 300 IN A 192.0.2.1". */
static struct str
record_text(struct arena *a, struct str owner, const struct dns_record *r)
{
    char address[SOCK_TEXT_MAX];
    struct sockaddr_storage sa;
    unsigned port;
    const char *type = dns_type_name(r->type);

    if (r->type == DNS_MX)
        return str_from(arena_fmt(a, "%.*s %u IN %s %u %.*s", STR(owner),
                                  r->ttl, type, r->pref, STR(r->host)));
    dns_to_sockaddr(r, 0, &sa);
    sock_text((struct sockaddr *)&sa, address, &port);
    return str_from(
        arena_fmt(a, "%.*s %u IN %s %s", STR(owner), r->ttl, type, address));
}

/* smtp_dns_reply_filter takes records away. */
static enum rc
filter(const struct search *f, struct str name, struct dns_answer *answer,
       struct why *why)
{
    struct maps *maps = f->settings->dns_reply_filter;
    size_t kept = 0;

    for (size_t i = 0; maps && i < answer->count; i++) {
        struct str text =
            record_text(f->arena, answer->name, &answer->records[i]);
        struct str action;

        if (maps_get(maps, text, f->arena, &action, why) != OK)
            return TEMP;
        if (action.p && str_ieq(action, S("IGNORE")))
            log_info("ignoring DNS RR: %.*s", STR(text));
        else
            answer->records[kept++] = answer->records[i];
    }
    if (maps == NULL || kept > 0) {
        answer->count = maps ? kept : answer->count;
        return OK;
    }
    return fail(why, "4.7.0",
                "Error looking up name=%.*s: DNS reply filter drops all "
                "results",
                STR(name));
}

static void
add_host(struct search *f, struct str host, unsigned pref)
{
    const struct settings *s = f->settings;
    struct targets *out = f->out;
    struct dns_answer answer;
    struct why why;

    if (dns_addresses(f->dns, host, s->families | s->lookups, f->arena, &answer,
                      &why) != OK ||
        filter(f, host, &answer, &why) != OK) {
        note(f, &why);
        return;
    }
    out->at = arena_grow(f->arena, out->at, sizeof *out->at * out->count,
                         sizeof *out->at * (out->count + answer.count));
    for (size_t i = 0; i < answer.count; i++) {
        struct target *t = &out->at[out->count++];

        t->host = arena_str(f->arena, host);
        t->len = dns_to_sockaddr(&answer.records[i], f->hop->port, &t->sa);
        t->pref = pref;
        t->domain = f->domain;
        t->domain_secure = f->domain_secure;
        t->owner = answer.name;
        t->secure = answer.secure;
    }
}

/* Our place in the list, or -1. */
static ssize_t
find_self(const struct search *f)
{
    if (!target_may_loop(f->settings, f->hop))
        return -1;
    for (size_t i = 0; i < f->out->count; i++)
        if (own_has(f->own, (struct sockaddr *)&f->out->at[i].sa))
            return (ssize_t)i;
    return -1;
}

static size_t
random_below(size_t n)
{
    uint32_t r;

    must(getrandom(&r, sizeof r, 0) == sizeof r);
    return r % n;
}

static void
swap(struct target *a, struct target *b)
{
    struct target t = *a;

    *a = *b;
    *b = t;
}

static void
shuffle(struct targets *t)
{
    for (size_t i = t->count; i > 1; i--)
        swap(&t->at[i - 1], &t->at[random_below(i)]);
}

static bool
is_v6(const struct target *t)
{
    return t->sa.ss_family == AF_INET6;
}

/* Does b belong before a? */
static bool
before(const struct target *b, const struct target *a, unsigned first)
{
    if (b->pref != a->pref)
        return b->pref < a->pref;
    if (first == 0 || is_v6(a) == is_v6(b))
        return false;
    return is_v6(b) == (first == DNS_V6);
}

/* Stable, so that what the shuffle did to equals stays. */
static void
sort(struct targets *t, unsigned first)
{
    for (size_t i = 1; i < t->count; i++)
        for (size_t j = i; j > 0 && before(&t->at[j], &t->at[j - 1], first);
             j--)
            swap(&t->at[j], &t->at[j - 1]);
}

/*
 * Cut the list to `limit`, so that one family does not crowd out the other:
 * each may keep half, and what the other leaves free.
 */
static void
balance(struct targets *t, size_t limit)
{
    size_t n[2] = {0}, may[2], kept = 0;

    for (size_t i = 0; i < t->count; i++)
        n[is_v6(&t->at[i])]++;
    if (n[0] == 0 || n[1] == 0 || t->count <= limit)
        return;
    may[1] = (limit + is_v6(&t->at[0])) / 2;
    may[0] = limit - may[1];
    for (int family = 0; family < 2; family++)
        if (n[family] < may[family]) {
            may[!family] += may[family] - n[family];
            may[family] = n[family];
        }
    for (size_t i = 0; i < t->count; i++) {
        bool family = is_v6(&t->at[i]);

        if (may[family] == 0)
            continue;
        may[family]--;
        t->at[kept++] = t->at[i];
    }
    t->count = kept;
}

static enum rc
order(struct search *f)
{
    const struct settings *s = f->settings;
    struct targets *t = f->out;

    if (s->randomize_addresses)
        shuffle(t);
    sort(t, s->first);
    if (s->balance_inet_protocols && s->mx_address_limit > 0)
        balance(t, (size_t)s->mx_address_limit);
    for (size_t i = 0; i < t->count; i++)
        t->at[i].best = t->at[i].pref == t->at[0].pref;
    return OK;
}

/* The host itself. */
static enum rc
find_host(struct search *f)
{
    add_host(f, f->hop->host, 0);
    if (f->out->count == 0)
        return f->rc;
    if (find_self(f) >= 0) {
        f->out->count = 0;
        return fail(f->why, "5.4.6", "mail for %.*s loops back to myself",
                    STR(f->hop->host));
    }
    return order(f);
}

/* Look up all at once what will be needed one by one. */
static void
ask_ahead(const struct search *f, const struct dns_answer *mx)
{
    struct dns_question q[64];
    size_t n = 0;

    for (size_t i = 0; i < mx->count && n + 2 <= COUNT(q); i++) {
        if (f->settings->families & DNS_V4)
            q[n++] = (struct dns_question){mx->records[i].host, DNS_A};
        if (f->settings->families & DNS_V6)
            q[n++] = (struct dns_question){mx->records[i].host, DNS_AAAA};
    }
    if (f->settings->lookups & DNS_FROM_DNS)
        dns_ask_ahead(f->dns, q, n);
}

/*
 * Where we are an exchanger ourselves, only better ones may be tried: from
 * equals and worse ones the mail would come back.
 */
static enum rc
cut_behind_self(struct search *f, unsigned best_pref)
{
    struct targets *t = f->out;
    ssize_t self = find_self(f);
    unsigned best_found = t->at[0].pref;

    if (self < 0)
        return OK;
    unsigned pref = t->at[self].pref;

    t->self = true;
    t->count = 0;
    while (t->at[t->count].pref < pref)
        t->count++;
    if (t->count > 0)
        return OK;
    if (best_pref != best_found)
        return fail(f->why, "4.4.4", "unable to find primary relay for %.*s",
                    STR(f->hop->host));
    return fail(f->why, "5.4.6", "mail for %.*s loops back to myself",
                STR(f->hop->host));
}

static enum rc
no_address(struct search *f)
{
    log_warn("no MX host for %.*s has a valid address record",
             STR(f->hop->host));
    if (f->rc == PERM && f->settings->defer_if_no_mx_address_found) {
        f->why->dsn[0] = '4';
        f->rc = TEMP;
    }
    return f->rc;
}

static enum rc
use_mx(struct search *f, const struct dns_answer *mx)
{
    if (mx->count == 1 && mx->records[0].host.len == 0)
        return fail(f->why, "5.1.10",
                    "Domain %.*s does not accept mail (nullMX)",
                    STR(f->hop->host));
    f->domain = mx->name;
    f->domain_secure = mx->secure;
    ask_ahead(f, mx);
    for (size_t i = 0; i < mx->count; i++)
        if (mx->records[i].host.len > 0)
            add_host(f, mx->records[i].host, mx->records[i].pref);
    if (f->out->count == 0)
        return no_address(f);
    if (cut_behind_self(f, mx->records[0].pref) != OK)
        return rc_of(f->why->dsn);
    return order(f);
}

static enum rc
find_domain(struct search *f)
{
    struct dns_answer mx;
    enum rc rc =
        dns_lookup(f->dns, f->hop->host, DNS_MX, f->arena, &mx, f->why);

    if (rc == OK && filter(f, f->hop->host, &mx, f->why) != OK)
        return TEMP;
    if (rc == OK)
        return use_mx(f, &mx);

    /* Where the name does not exist, DNS has no address of it either. */
    if (mx.state == DNS_NXDOMAIN && !(f->settings->lookups & DNS_FROM_HOSTS) &&
        !domain_is_ip(f->hop->host))
        return rc;
    if (mx.state != DNS_NXDOMAIN && mx.state != DNS_NODATA &&
        !f->settings->ignore_mx_lookup_error)
        return rc;
    return find_host(f);
}

enum rc
targets_find(const struct settings *s, const struct own *own, struct dns *dns,
             const struct nexthop *hop, struct arena *a, struct targets *out,
             struct why *why)
{
    struct search f = {.settings = s,
                       .own = own,
                       .dns = dns,
                       .hop = hop,
                       .arena = a,
                       .out = out,
                       .why = why};

    *out = (struct targets){0};
    if (hop->kind == NEXTHOP_DOMAIN && s->mx && !s->lmtp)
        return find_domain(&f);
    return find_host(&f);
}
