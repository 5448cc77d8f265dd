/*
 * Addresses made complete, and the tables that replace them: canonical and
 * masquerading (Postfix's ADDRESS_REWRITING_README).
 */
#include "base/log.h"
#include "mail/address.h"
#include "mail/addrlist.h"
#include "mail/domain.h"
#include "route/router.h"

/* A table that maps an address to another, and that to the next ... */
#define NESTING_MAX 100

/* Most addresses one look-up may give. */
#define RESULTS_MAX 10000

static struct str
join(struct arena *a, struct str x, char between, struct str y)
{
    return str_from(arena_fmt(a, "%.*s%c%.*s", STR(x), between, STR(y)));
}

/* "@a,@b:user@c" is user@c (RFC 5321, appendix F.2). */
static struct str
strip_source_route(struct str addr)
{
    ssize_t colon = str_find(addr, ':');

    if (addr.len == 0 || addr.p[0] != '@' || colon < 0 ||
        (size_t)colon == addr.len - 1)
        return addr;
    return str_sub(addr, (size_t)colon + 1, addr.len);
}

/* An address without "@": find its domain elsewhere. */
static struct str
give_domain(struct router *r, struct arena *a, struct str addr, bool hidden,
            struct str origin)
{
    ssize_t bang = r->s->swap_bangpath ? str_find(addr, '!') : -1;
    ssize_t percent = r->s->allow_percent_hack ? str_rfind(addr, '%') : -1;

    if (hidden)
        bang = percent = -1;
    if (bang >= 0)
        return join(a, str_sub(addr, (size_t)bang + 1, addr.len), '@',
                    str_sub(addr, 0, (size_t)bang));
    if (percent >= 0)
        return join(a, str_sub(addr, 0, (size_t)percent), '@',
                    str_sub(addr, (size_t)percent + 1, addr.len));
    if (r->s->append_at_myorigin && origin.len > 0)
        return join(a, addr, '@', origin);
    return addr;
}

static struct str
finish_domain(struct router *r, struct arena *a, struct str addr,
              struct str mydomain)
{
    struct str domain = address_domain(addr);

    if (r->s->append_dot_mydomain && mydomain.len > 0 && domain.len > 0 &&
        domain.p[0] != '[' && str_find(domain, '.') < 0)
        return join(a, addr, '.', mydomain);

    /* "host." is "host"; what is worse stays for others to complain of. */
    if (domain.len > 1 && domain.p[domain.len - 1] == '.' &&
        domain.p[domain.len - 2] != '.')
        addr.len--;
    return addr;
}

/* `hidden`: operators stand in a local part that needs quotes. */
static struct str
complete(struct router *r, struct arena *a, struct str addr, bool hidden,
         struct str origin, struct str mydomain)
{
    if (addr.len == 0 || str_eq(addr, S("@")))
        return S("");
    addr = strip_source_route(addr);
    if (str_find(addr, '@') < 0)
        addr = give_domain(r, a, addr, hidden, origin);
    return finish_domain(r, a, addr, mydomain);
}

struct str
route_complete(struct router *r, struct arena *a, struct str addr)
{
    bool hidden = address_quote(a, addr).p != addr.p;

    return complete(r, a, addr, hidden, str_from(r->s->myorigin),
                    str_from(r->s->mydomain));
}

struct str
router_reroute(struct router *r, struct arena *a, struct str addr)
{
    return complete(r, a, addr, false, str_from(r->s->myorigin),
                    str_from(r->s->mydomain));
}

/* "@other" is the user there; the extension comes back later, if it does. */
static struct str
with_user(struct arena *a, struct str addr, struct str extension,
          struct str value)
{
    struct str user = address_local(addr);

    value = str_trim(value);
    if (value.len == 0 || value.p[0] != '@')
        return value;
    if (str_ends(user, extension))
        user.len -= extension.len;
    user = address_quote_local(a, user);
    return str_from(arena_fmt(a, "%.*s%.*s", STR(user), STR(value)));
}

void
router_results(struct router *r, struct arena *a, struct str addr,
               const struct mapping *m, const struct map_found *found,
               struct str **list, size_t *count)
{
    struct str extension = m->propagate ? found->extension : S("");
    struct addrlist reader = {.rest =
                                  with_user(a, addr, extension, found->value)};
    struct addrlist_entry e;
    size_t room = 0;

    *list = NULL;
    *count = 0;
    while (*count < RESULTS_MAX && addrlist_next(a, &reader, &e)) {
        if (*count == room) {
            *list = arena_grow(a, *list, room * sizeof **list,
                               (2 * room + 4) * sizeof **list);
            room = 2 * room + 4;
        }
        (*list)[(*count)++] =
            route_complete(r, a, map_apply(a, addr, e.addr, extension));
    }
}

/* Replace *addr by what the table has for it, until it has nothing more. */
static enum rc
canonical(struct router *r, struct arena *a, const struct mapping *m,
          struct str *addr, struct why *why)
{
    struct map_found found;
    struct str *list;
    size_t count;

    for (int i = 0; i < NESTING_MAX; i++) {
        struct str before = *addr;

        if (router_find(r, a, m->maps, before, &found, why) != OK)
            return TEMP;
        if (found.value.p == NULL)
            return OK;
        router_results(r, a, before, m, &found, &list, &count);
        if (count != 1)
            log_warn("%s: %s entry for %.*s: \"%.*s\"",
                     count ? "multi-valued" : "no address in", m->name,
                     STR(before), STR(found.value));
        if (count == 0)
            return fail(why, "4.6.0", "Alias expansion error");
        *addr = list[0];
        if (address_eq(before, *addr))
            return OK;
    }
    log_warn("unreasonable %s map nesting for %.*s -- message not accepted, "
             "try again later",
             m->name, STR(*addr));
    return fail(why, "4.6.0", "Alias expansion error");
}

/* "user@host.example.org" becomes "user@example.org". */
static enum rc
masquerade(struct router *r, struct arena *a, struct str *addr, struct why *why)
{
    struct str list = str_from(r->s->masquerade_domains), word, local, domain;
    bool excepted;

    if (list.len == 0 || !address_split(*addr, &local, &domain))
        return OK;
    if (match_word(r->masquerade_exceptions, local, &excepted, why) != OK)
        return TEMP;
    while (!excepted && str_word(&list, ", \t\r\n", &word)) {
        bool keep = false;

        while (str_skip(&word, S("!")))
            keep = !keep;
        if (word.len == 0 || !domain_is_under(domain, word))
            continue;
        if (!keep && domain.len > word.len)
            *addr = join(a, local, '@',
                         str_sub(domain, domain.len - word.len, word.len));
        return OK;
    }
    return OK;
}

enum rc
route_rewrite(struct router *r, struct arena *a, struct str addr,
              enum route_role role, struct str *out, struct why *why)
{
    static const struct {
        unsigned class;
        bool sender, remote;
    } roles[] = {
        [ROUTE_ENVELOPE_SENDER] = {IN_ENVELOPE_SENDER, true,  false},
        [ROUTE_ENVELOPE_RCPT] = {IN_ENVELOPE_RCPT,   false, false},
        [ROUTE_HEADER_SENDER] = {IN_HEADER_SENDER,   true,  false},
        [ROUTE_HEADER_RCPT] = {IN_HEADER_RCPT,     false, false},
        [ROUTE_REMOTE_SENDER] = {IN_HEADER_SENDER,   true,  true },
        [ROUTE_REMOTE_RCPT] = {IN_HEADER_RCPT,     false, true },
    };
    struct str remote = str_from(r->s->remote_header_rewrite_domain);
    unsigned class = roles[role].class;

    *out = addr;
    if (roles[role].remote && remote.len == 0)
        return OK;
    if (roles[role].remote)
        *out = complete(r, a, addr, address_quote(a, addr).p != addr.p, remote,
                        remote);
    else
        *out = route_complete(r, a, addr);
    if (out->len == 0)
        return OK;

    const struct mapping *own =
        roles[role].sender ? &r->sender_canonical : &r->rcpt_canonical;

    if ((own->classes & class) && canonical(r, a, own, out, why) != OK)
        return TEMP;
    if ((r->canonical.classes & class) &&
        canonical(r, a, &r->canonical, out, why) != OK)
        return TEMP;
    return (r->masquerade_classes & class) ? masquerade(r, a, out, why) : OK;
}

enum rc
route_bcc(struct router *r, struct arena *a, struct str addr,
          enum route_role role, struct str list[2], size_t *count,
          struct why *why)
{
    bool sender = role == ROUTE_ENVELOPE_SENDER;
    struct str always = str_from(sender ? r->s->always_bcc : "");
    struct maps *maps = sender ? r->sender_bcc : r->rcpt_bcc;
    struct map_found found = {0};

    *count = 0;
    if (always.len > 0)
        list[(*count)++] = address_unquote(a, always);

    if (addr.len > 0 && router_find(r, a, maps, addr, &found, why) != OK)
        return TEMP;
    if (found.value.p)
        list[(*count)++] = address_unquote(a, found.value);
    for (size_t i = 0; i < *count; i++)
        if (route_rewrite(r, a, list[i], ROUTE_ENVELOPE_RCPT, &list[i], why) !=
            OK)
            return TEMP;
    return OK;
}
