/* Addresses through completing, resolving and expanding. */
#include "base/log.h"
#include "fuzz/fuzz.h"
#include "unit/routes.h"

static struct router *
make(void)
{
    struct route_settings s = ours();

    set_up(NULL);
    s.resolve_null_domain = s.resolve_numeric_domain = true;
    s.masquerade_domains = "!x.ours.org ours.org";
    s.canonical_maps = "inline:{ {a=b} {b@ours.org=a} {@c.org=@d.org} }";
    s.virtual_alias_domains = "v.org";
    s.virtual_alias_maps = "inline:{ {a@v.org=b@v.org, a@v.org} "
                           "{b@v.org=c%x@v.org d} {@v.org=e} }";
    s.relay_domains = "relay.org";
    s.transport_maps = "inline:{ {.t.org=x:y} {*=z:} }";
    s.local_recipient_maps = "inline:{ {d=x} }";
    return router_of(&s);
}

static void
fuzz(struct arena *a, struct str in)
{
    static struct router *router;
    struct str out;
    struct rcpt from = {.addr = in}, *list = NULL;
    struct route route;
    struct why why;
    size_t count = 0;
    int code;

    if (in.len > 2000)
        return;
    if (router == NULL)
        router = make();
    for (unsigned r = 0; r <= ROUTE_REMOTE_RCPT; r++)
        if (route_rewrite(router, a, in, r, &out, &why) != OK)
            must(why.text[0]);
    if (route_resolve(router, a, S(""), in, &route, &why) == OK)
        must(route.transport.len > 0 && route.nexthop.len > 0);
    if (route_known(router, a, S(""), in, &code, &why) != OK)
        must(code >= 400);
    if (route_expand(router, a, S(""), &from, &list, &count, &why) == OK)
        must(count > 0);
}

FUZZ((size_t)64 << 20)
