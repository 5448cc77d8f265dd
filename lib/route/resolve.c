/*
 * Where an address goes: own domains are stripped off until one is left that
 * is not ours, then its class says which transport and next hop, and the
 * tables say otherwise.
 */
#include "base/log.h"
#include "base/utf8.h"
#include "mail/address.h"
#include "mail/domain.h"
#include "route/router.h"

/* Reasons of tables go into packets and replies. */
#define NEXTHOP_MAX 1000

static void
to_error(struct route *route, const char *reason)
{
    route->transport = S("error");
    route->nexthop = str_from(reason);
}

/* An operator that a local part of our own hides: "user%there" of
 * "user%there@ours". Quotes hide nothing, unless resolve_dequoted_address is
 * off: the next system might not look at them. */
static bool
has_operator(struct router *r, struct arena *a, struct str local)
{
    bool quoted = address_quote_local(a, local).p != local.p;

    if (quoted && !r->s->resolve_dequoted_address)
        return false;
    return str_find(local, '@') >= 0 ||
           (r->s->allow_percent_hack && str_find(local, '%') >= 0) ||
           (r->s->swap_bangpath && str_find(local, '!') >= 0);
}

static struct str
without_last_dot(struct str addr)
{
    size_t n = addr.len;

    if (n > 1 && addr.p[n - 1] == '.' && addr.p[n - 2] != '.' &&
        addr.p[n - 2] != '@' && str_find(addr, '@') >= 0)
        addr.len--;
    return addr;
}

/*
 * Strip own domains off *addr as long as what is left names another place.
 * *local: the address ends here. It then has the domain last stripped, or our
 * name where there was none.
 */
static enum rc
strip_own(struct router *r, struct arena *a, struct str *addr, bool *local,
          struct why *why)
{
    struct str user, domain, last = {NULL, 0};

    /* Each round takes a domain or an operator away. */
    for (size_t rounds = addr->len + 100; rounds > 0; rounds--) {
        *addr = without_last_dot(*addr);
        if (r->s->resolve_null_domain && str_ends(*addr, S("@")))
            addr->len--;
        if (address_split(*addr, &user, &domain)) {
            *local = domain.len == 0;
            if (!*local && router_is_own(r, domain, local, why) != OK)
                return TEMP;
            if (!*local)
                return OK;
            last = domain;
        }
        *local = true;
        if (!has_operator(r, a, user)) {
            if (user.len == 0)
                user = str_from(r->s->empty_address_recipient);
            if (last.p == NULL)
                last = str_from(r->s->myhostname);
            *addr = str_from(arena_fmt(a, "%.*s@%.*s", STR(user), STR(last)));
            return OK;
        }
        *addr = router_reroute(r, a, user);
    }
    log_warn("<%.*s>: giving up on its routing operators", STR(*addr));
    return fail(why, "4.3.0", "address resolver failure");
}

/* Is the domain one that mail could go to? resolve_numeric_domain makes
 * "[1.2.3.4]" of "1.2.3.4"; that may be our own. */
static enum rc
check_domain(struct router *r, struct arena *a, struct route *route,
             bool *local, bool *sound, struct why *why)
{
    struct str user, domain;

    address_split(route->addr, &user, &domain);
    *sound = domain_is_literal(domain, NULL) ||
             (domain_is_hostname(domain) && utf8_valid(route->addr));
    if (*sound || !r->s->resolve_numeric_domain || !domain_is_ip(domain))
        return OK;
    *sound = true;
    route->addr = str_from(arena_fmt(a, "%.*s@[%.*s]", STR(user), STR(domain)));
    return router_is_own(r, address_domain(route->addr), local, why);
}

void
router_cut_transport(struct str value, struct str *transport,
                     struct str *nexthop)
{
    str_cut(&value, ':', transport);
    *nexthop = value;
}

static enum rc
by_sender(struct router *r, struct arena *a, struct maps *maps,
          struct str sender, const char *null_key, struct str *value,
          struct why *why)
{
    struct str key = sender.len ? sender : str_from(null_key);
    struct map_found found;
    enum rc rc = router_find(r, a, maps, key, &found, why);

    *value = found.value;
    return rc;
}

static enum rc
remote_nexthop(struct router *r, struct arena *a, struct str sender,
               struct route *route, struct why *why)
{
    struct str host, domain = address_domain(route->addr);
    struct str relayhost = str_from(r->s->relayhost);

    if (by_sender(r, a, r->sender_relayhost, sender,
                  r->s->empty_address_relayhost_maps_lookup_key, &host,
                  why) != OK)
        return TEMP;

    /* DUNNO is the recipient's domain, even where there is a relayhost. */
    if (host.p)
        route->nexthop = str_ieq(host, S("DUNNO")) ? domain : host;
    else
        route->nexthop = relayhost.len ? relayhost : domain;
    return OK;
}

static enum rc
default_transport(struct router *r, struct arena *a, struct str sender,
                  struct str *transport, struct why *why)
{
    if (by_sender(r, a, r->sender_transport, sender,
                  r->s->empty_address_default_transport_maps_lookup_key,
                  transport, why) != OK)
        return TEMP;
    if (transport->p == NULL || str_ieq(*transport, S("DUNNO")))
        *transport = str_from(r->s->default_transport);
    return OK;
}

/* What the class of the domain says, before any table of transports. */
static enum rc
by_class(struct router *r, struct arena *a, struct str sender,
         struct route *route, struct why *why)
{
    struct str setting = {NULL, 0}, transport, nexthop;

    route->nexthop = address_domain(route->addr);
    switch (route->class) {
    case CLASS_VIRTUAL_ALIAS:
        to_error(route, r->s->show_user_unknown_table_name
                            ? "5.1.1 User unknown in virtual alias table"
                            : "5.1.1 User unknown");
        return OK;
    case CLASS_LOCAL:
        setting = str_from(r->s->local_transport);
        break;
    case CLASS_VIRTUAL_MAILBOX:
        setting = str_from(r->s->virtual_transport);
        break;
    case CLASS_RELAY:
        setting = str_from(r->s->relay_transport);
        break;
    case CLASS_DEFAULT:
        if (default_transport(r, a, sender, &setting, why) != OK)
            return TEMP;
        break;
    }
    if ((route->class == CLASS_RELAY || route->class == CLASS_DEFAULT) &&
        remote_nexthop(r, a, sender, route, why) != OK)
        return TEMP;

    router_cut_transport(setting, &transport, &nexthop);
    route->transport = transport;
    if (nexthop.len > 0)
        route->nexthop = nexthop;
    if (transport.len > 0)
        return OK;
    log_warn("a null transport is not allowed: \"%.*s\"", STR(setting));
    return fail(why, "4.3.0", "address resolver failure");
}

static enum rc
by_relocated(struct router *r, struct arena *a, struct route *route,
             struct why *why)
{
    struct map_found found;

    if (router_find(r, a, r->relocated, route->addr, &found, why) != OK)
        return TEMP;
    if (found.value.p)
        to_error(route, arena_fmt(a, "%s%.*s",
                                  r->s->relocated_prefix_enable
                                      ? "5.1.6 User has moved to "
                                      : "",
                                  STR(found.value)));
    return OK;
}

enum rc
route_resolve(struct router *r, struct arena *a, struct str sender,
              struct str addr, struct route *route, struct why *why)
{
    bool local = false, sound = false;
    struct str user;

    *route = (struct route){.addr = addr, .class = CLASS_DEFAULT};
    if (strip_own(r, a, &route->addr, &local, why) != OK ||
        check_domain(r, a, route, &local, &sound, why) != OK)
        return TEMP;

    user = address_local(route->addr);
    route->routed = str_find(user, '@') >= 0 || str_find(user, '%') >= 0 ||
                    str_find(user, '!') >= 0;
    if (!sound) {
        to_error(route, "5.1.3 bad address syntax");
        return OK;
    }
    if (local)
        route->class = CLASS_LOCAL;
    else if (route_class(r, a, address_domain(route->addr), &route->class,
                         why) != OK)
        return TEMP;
    if (by_class(r, a, sender, route, why) != OK ||
        (route->class != CLASS_VIRTUAL_ALIAS &&
         router_transport(r, a, route, why) != OK) ||
        by_relocated(r, a, route, why) != OK)
        return TEMP;

    /* A command might take it for an option. */
    if (!r->s->allow_min_user && str_starts(route->addr, S("-")))
        to_error(route, "5.1.3 bad address syntax");
    route->nexthop = str_sub(route->nexthop, 0, NEXTHOP_MAX);
    return OK;
}
