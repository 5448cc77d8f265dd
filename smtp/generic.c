#include "generic.h"

#include "mail/address.h"
#include "mail/addrlist.h"
#include "map/map.h"
#include "own_domains.h"

struct generic {
    struct maps *maps;
    struct own_domains *own;
    bool propagate; /* extensions that did not match are kept */
};

static bool
names(const char *list, struct str word)
{
    struct str rest = str_from(list), one;

    while (str_word(&rest, ", \t\r\n", &one))
        if (str_ieq(one, word))
            return true;
    return false;
}

struct generic *
generic_open(struct arena *life, const struct conf *conf, const char *maps)
{
    struct generic *g = arena_make(life, struct generic);

    if (*maps == '\0')
        return NULL;
    g->maps = maps_open(maps, NULL);
    g->own = own_domains_open(life, conf);
    g->propagate = names(conf->propagate_unmatched_extensions, S("generic"));
    return g;
}

enum rc
generic_map(struct generic *g, struct arena *a, struct str addr,
            struct str *out, struct why *why)
{
    struct map_order order;
    struct map_found found;
    enum rc rc;

    *out = addr;
    if (addr.len == 0)
        return OK;
    rc = own_domains_order(g->own, addr, &order, why);
    if (rc == OK)
        rc = maps_get_address(g->maps, addr, &order, a, &found, why);
    if (rc != OK || found.value.p == NULL)
        return rc;
    *out = map_apply(a, addr, address_unquote(a, found.value),
                     g->propagate ? found.extension : (struct str){0});
    return OK;
}

static enum rc
rewrite(void *self, struct arena *a, struct str addr, struct str *out,
        struct why *why)
{
    return generic_map(self, a, addr, out, why);
}

enum rc
generic_map_field(struct generic *g, struct arena *a, struct str body,
                  struct str *out, struct why *why)
{
    return addrlist_rewrite(a, body, rewrite, g, out, why);
}
