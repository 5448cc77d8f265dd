/*
 * Lists of tables, and the orders in which they are searched.
 */
#include "base/log.h"
#include "base/vec.h"
#include "mail/address.h"
#include "map/map.h"
#include "map/type.h"
#include "map/words.h"

struct maps {
    VEC(struct map *) of;
};

static struct maps *
open_list(const char *specs, bool fixed, struct why *why)
{
    struct maps *m = arena_make(map_life(), struct maps);
    struct str list = str_from(specs), word;
    struct arena *a = arena_new("table names", (size_t)64 << 20);
    struct why one;

    if (why)
        *why = (struct why){0};
    while (words_next(&list, &word)) {
        const char *spec = arena_cstr(a, word);

        *vec_add(&m->of) =
            fixed ? map_open_fixed(spec, &one) : map_open(spec, &one);
        if (why && why->text[0] == '\0')
            *why = one;
    }
    arena_free(a);
    return m;
}

struct maps *
maps_open(const char *specs, struct why *why)
{
    return open_list(specs, false, why);
}

struct maps *
maps_open_fixed(const char *specs, struct why *why)
{
    return open_list(specs, true, why);
}

bool
maps_empty(const struct maps *m)
{
    return m->of.len == 0;
}

/* A partial key is none for tables of patterns. */
static enum rc
search(struct maps *m, struct str key, bool partial, struct arena *a,
       struct str *value, struct why *why)
{
    *value = (struct str){NULL, 0};
    for (size_t i = 0; i < m->of.len; i++) {
        struct map *map = m->of.at[i];

        if (partial && map_is_pattern(map))
            continue;
        if (map_get(map, key, a, value, why) != OK)
            return TEMP;
        if (value->p && value->len == 0) {
            log_warn("table %s: key %.*s: empty string result is not allowed; "
                     "a table should have no result where it has none",
                     map_name(map), STR(key));
            *value = (struct str){NULL, 0};
            return fail(why, "4.3.0", "Temporary lookup failure");
        }
        if (value->p)
            return OK;
    }
    return OK;
}

enum rc
maps_get(struct maps *m, struct str key, struct arena *a, struct str *value,
         struct why *why)
{
    return search(m, key, false, a, value, why);
}

/* One search for an address. */
struct hunt {
    struct maps *maps;
    const struct map_order *order;
    struct arena *arena;
    struct map_found *found;
    struct why *why;
    struct str local, user, extension, domain; /* extension with delimiter */
    bool quoted;                               /* differs from internal form */
};

/* Is the search over: found, or failed (*rc)? */
static bool
look(struct hunt *h, struct str key, bool partial, enum rc *rc)
{
    *rc = search(h->maps, key, partial, h->arena, &h->found->value, h->why);
    return *rc != OK || h->found->value.p;
}

/* x and y as one text; they are copied unless they stand side by side. */
static struct str
join(struct arena *a, struct str x, struct str y)
{
    if (y.len == 0 || x.p + x.len == y.p)
        return (struct str){x.p, x.len + y.len};
    return str_from(arena_fmt(a, "%.*s%.*s", STR(x), STR(y)));
}

/*
 * Tables are written with quotes where an address needs them; so that is asked
 * first, and then the address as it is inside.
 */
static bool
look_address(struct hunt *h, struct str local, struct str tail, bool partial,
             enum rc *rc)
{
    if (h->quoted) {
        struct str quoted = address_quote_local(h->arena, local);

        if (look(h, join(h->arena, quoted, tail), partial, rc))
            return true;
    }
    return look(h, join(h->arena, local, tail), partial, rc);
}

/* With the extension, then without: then it is told what was not matched. */
static bool
look_both(struct hunt *h, struct str tail, bool partial, enum rc *rc)
{
    if (look_address(h, h->local, tail, partial, rc))
        return true;
    if (h->extension.len == 0)
        return false;
    if (!look_address(h, h->user, tail, true, rc))
        return false;
    if (h->found->value.p)
        h->found->extension = h->extension;
    return true;
}

static bool
look_parents(struct hunt *h, struct str domain, bool partial, enum rc *rc)
{
    while (domain.len > 0) {
        if (look(h, domain, partial, rc))
            return true;

        ssize_t dot = str_find(str_sub(domain, 1, domain.len), '.');

        if (dot < 0)
            return false;
        domain = str_sub(domain, (size_t)dot + 1 + !h->order->dot_parents,
                         domain.len);
        partial = true;
    }
    return false;
}

static enum rc
run(struct hunt *h, struct str address)
{
    const struct map_order *o = h->order;
    struct str at_domain = str_sub(address, h->local.len, address.len);
    enum rc rc;

    if (look_both(h, at_domain, false, &rc))
        return rc;
    if (at_domain.len == 0)
        return OK;
    if (o->own_domain && look_both(h, S(""), true, &rc))
        return rc;
    if (o->at_domain && look(h, at_domain, true, &rc))
        return rc;
    if (o->parents && look_parents(h, h->domain, true, &rc))
        return rc;
    if (o->user_at && look_both(h, S("@"), true, &rc))
        return rc;
    return OK;
}

enum rc
maps_get_address(struct maps *m, struct str address,
                 const struct map_order *order, struct arena *a,
                 struct map_found *found, struct why *why)
{
    struct hunt h = {
        .maps = m, .order = order, .arena = a, .found = found, .why = why};

    *found = (struct map_found){0};
    if (maps_empty(m))
        return OK;
    address_split(address, &h.local, &h.domain);
    if (address_extension(h.local, order->delimiters, &h.user, &h.extension))
        h.extension = str_sub(h.local, h.user.len, h.local.len);
    else
        h.extension = (struct str){NULL, 0};
    h.quoted = address_quote(a, address).p != address.p;
    return run(&h, address);
}

enum rc
maps_get_domain(struct maps *m, struct str domain, bool dot_parents,
                struct arena *a, struct str *value, struct why *why)
{
    const struct map_order order = {.delimiters = "",
                                    .dot_parents = dot_parents};
    struct map_found found = {0};
    struct hunt h = {
        .maps = m, .order = &order, .arena = a, .found = &found, .why = why};
    enum rc rc = OK;

    (void)look_parents(&h, domain, false, &rc);
    *value = found.value;
    return rc;
}

enum rc
maps_get_network(struct maps *m, struct str addr, struct arena *a,
                 struct str *value, struct why *why)
{
    char delimiter = str_find(addr, ':') >= 0 ? ':' : '.';
    bool partial = false;

    for (;; partial = true) {
        enum rc rc = search(m, addr, partial, a, value, why);
        ssize_t at = str_rfind(addr, delimiter);

        if (rc != OK || value->p || at < 0)
            return rc;
        addr = str_sub(addr, 0, (size_t)at);
    }
}

struct str
map_apply(struct arena *a, struct str address, struct str result,
          struct str extension)
{
    struct str local = address_local(address), at;
    ssize_t cut = str_rfind(result, '@');

    if (result.len > 0 && result.p[0] == '@')
        return join(a, local, result);
    if (extension.len == 0)
        return result;
    at = cut < 0 ? S("") : str_sub(result, (size_t)cut, result.len);
    return join(a, join(a, str_sub(result, 0, result.len - at.len), extension),
                at);
}
