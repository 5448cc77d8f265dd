#include "generic.h"

#include "mail/address.h"
#include "mail/addrlist.h"
#include "map/map.h"

struct generic {
    struct maps *maps;
    struct match_list *local; /* domains whose users are looked for alone */
    struct str myorigin;
    const char *delimiters;
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
    g->local = match_open("mydestination", conf->mydestination, false, NULL);
    g->myorigin = str_from(conf->myorigin);
    g->delimiters = conf->recipient_delimiter;
    g->propagate = names(conf->propagate_unmatched_extensions, S("generic"));
    return g;
}

static enum rc
is_local(struct generic *g, struct str domain, bool *local, struct why *why)
{
    *local = str_ieq(domain, g->myorigin);
    return *local ? OK : match_word(g->local, domain, local, why);
}

enum rc
generic_map(struct generic *g, struct arena *a, struct str addr,
            struct str *out, struct why *why)
{
    struct map_order order = {.delimiters = g->delimiters, .at_domain = true};
    struct map_found found;
    enum rc rc;

    *out = addr;
    if (addr.len == 0)
        return OK;
    rc = is_local(g, address_domain(addr), &order.own_domain, why);
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
