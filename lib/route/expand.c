/*
 * Virtual aliases: an address becomes a list, each of that a list again, until
 * all are final (virtual(5)).
 */
#include "base/hash.h"
#include "base/log.h"
#include "mail/address.h"
#include "route/router.h"

/* An address on its way; depth counts the look-ups that led to it. */
struct item {
    struct str addr;
    int64_t depth;
};

/* One expansion. */
struct work {
    struct router *router;
    struct arena *arena;
    struct str sender;
    const struct rcpt *from;
    struct item *items;
    size_t count, room, open; /* open: to be looked at, or final */
    struct hash *seen;        /* addresses in lower case */
    struct rcpt **list;
    size_t *total;
    struct why *why;
};

static enum rc
give_up(struct work *w, const char *what)
{
    log_warn("unreasonable virtual_alias_maps map %s for %.*s -- message not "
             "accepted, try again later",
             what, STR(w->from->addr));
    return fail(w->why, "4.6.0", "Alias expansion error");
}

static enum rc
add_item(struct work *w, struct str addr, int64_t depth)
{
    const struct route_settings *s = w->router->s;

    if (depth > s->virtual_alias_recursion_limit)
        return give_up(w, "nesting");
    if (w->open >= (size_t)s->virtual_alias_expansion_limit)
        return give_up(w, "expansion size");
    if (addr.len > (size_t)s->virtual_alias_address_length_limit)
        return give_up(w, "result");
    if (w->count == w->room) {
        size_t room = 2 * w->room + 4;

        w->items = arena_grow(w->arena, w->items, w->room * sizeof *w->items,
                              room * sizeof *w->items);
        w->room = room;
    }
    w->items[w->count++] = (struct item){addr, depth};
    w->open++;
    return OK;
}

/* The list's room is the power of two that holds its count. */
static struct rcpt *
add_rcpt(struct work *w)
{
    size_t n = *w->total;

    if (n == 0)
        *w->list = arena_alloc(w->arena, 4 * sizeof **w->list);
    else if (n >= 4 && (n & (n - 1)) == 0)
        *w->list = arena_grow(w->arena, *w->list, n * sizeof **w->list,
                              2 * n * sizeof **w->list);
    return &(*w->list)[(*w->total)++];
}

/* The address stays as it is: route it. */
static enum rc
finish(struct work *w, struct str addr)
{
    struct route route;

    if (route_resolve(w->router, w->arena, w->sender, addr, &route, w->why) !=
        OK)
        return TEMP;

    struct rcpt *rcpt = add_rcpt(w);

    *rcpt = *w->from;
    rcpt->addr = route.addr;
    rcpt->transport = route.transport;
    rcpt->nexthop = route.nexthop;
    if (rcpt->orig.len == 0 && !str_eq(route.addr, w->from->addr))
        rcpt->orig = w->from->addr;
    return OK;
}

static enum rc
replace(struct work *w, struct item item, const struct map_found *found)
{
    struct router *r = w->router;
    struct str *results;
    size_t count;

    router_results(r, w->arena, item.addr, &r->virtual, found, &results,
                   &count);
    if (count == 0) {
        log_warn("no address in virtual_alias_maps entry for %.*s: \"%.*s\"",
                 STR(item.addr), STR(found->value));
        return fail(w->why, "4.6.0", "Alias expansion error");
    }
    w->open--;
    for (size_t i = 0; i < count; i++) {
        bool itself = address_eq(results[i], item.addr);

        /* Once an address may be among its own aliases: it is final then. */
        if (itself && finish(w, results[i]) != OK)
            return TEMP;
        if (!itself && add_item(w, results[i], item.depth + 1) != OK)
            return TEMP;
        w->open += itself;
    }
    return OK;
}

static enum rc
expand_one(struct work *w, struct item item)
{
    struct map_found found;
    void **seen = hash_put(w->seen, arena_lower(w->arena, item.addr));

    /* What it stands for is in the list, or will be. */
    if (*seen) {
        w->open--;
        return OK;
    }
    *seen = w;
    if (router_find(w->router, w->arena, w->router->virtual.maps, item.addr,
                    &found, w->why) != OK)
        return fail(w->why, "4.6.0", "Alias expansion error");
    return found.value.p ? replace(w, item, &found) : finish(w, item.addr);
}

enum rc
route_expand(struct router *r, struct arena *a, struct str sender,
             const struct rcpt *from, struct rcpt **list, size_t *count,
             struct why *why)
{
    struct work w = {.router = r,
                     .arena = a,
                     .sender = sender,
                     .from = from,
                     .list = list,
                     .total = count,
                     .why = why};
    size_t before = *count;
    enum rc rc;

    if (maps_empty(r->virtual.maps))
        return finish(&w, from->addr);
    w.seen = hash_new();
    rc = add_item(&w, from->addr, 0);
    for (size_t i = 0; rc == OK && i < w.count; i++)
        rc = expand_one(&w, w.items[i]);
    if (rc == OK && *count == before)
        rc = give_up(&w, "nesting");
    if (rc != OK)
        *count = before;
    hash_free(w.seen);
    return rc;
}
