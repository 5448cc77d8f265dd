/*
 * transport_maps: by the address, the address without its extension, its
 * domain, the parents of that, and "*" (transport(5)).
 */
#include "mail/address.h"
#include "route/router.h"

/* What an entry says; an empty part leaves what there is. */
static void
apply(struct route *route, struct str value)
{
    struct str transport, nexthop;

    router_cut_transport(value, &transport, &nexthop);
    if (transport.len == 0) {
        if (nexthop.len > 0)
            route->nexthop = nexthop;
        return;
    }
    route->transport = transport;
    if (nexthop.len > 0)
        route->nexthop = nexthop;
    else if (str_eq(transport, S("error")) || str_eq(transport, S("retry")))
        route->nexthop = S("Address is undeliverable");
    else
        route->nexthop = address_domain(route->addr);
}

enum rc
router_transport(struct router *r, struct arena *a, struct route *route,
                 struct why *why)
{
    /* Only here the domain itself comes before all its parents. */
    const struct map_order order = {
        .delimiters = r->s->recipient_delimiter,
        .parents = true,
        .dot_parents = !r->transport_parents,
    };
    struct map_found found;

    if (maps_empty(r->transport))
        return OK;
    if (maps_get_address(r->transport, route->addr, &order, a, &found, why) !=
        OK)
        return TEMP;
    if (found.value.p == NULL &&
        maps_get(r->transport, S("*"), a, &found.value, why) != OK)
        return TEMP;
    if (found.value.p)
        apply(route, found.value);
    return OK;
}
