/*
 * cidr: networks in order, "10.0.0.0/8 RESULT", "[2001:db8::]/32 RESULT".
 */
#include "map/network.h"
#include "map/rules.h"
#include "map/type.h"

static void *
parse(struct rules *r, struct str *text, struct why *why)
{
    struct network *n = arena_make(r->arena, struct network);
    struct str word;

    str_word(text, " \t\r\n", &word);
    return network_parse(word, n, why) == OK ? n : NULL;
}

static enum rc
check(const struct rule *rule, struct why *why)
{
    if (rule->result.len == 0)
        return fail(why, "5.3.5", "no lookup result");
    return OK;
}

static enum rc
match(void *pattern, const void *subject, bool *matched, struct why *why)
{
    (void)why;
    *matched = network_holds(pattern, subject);
    return OK;
}

static struct str
expand(const struct rule *rule, const void *subject, struct arena *a)
{
    (void)subject;
    return arena_str(a, rule->result);
}

static const struct rules_type cidr = {
    .parse = parse,
    .check = check,
    .match = match,
    .expand = expand,
};

static void
cidr_close(void *own)
{
    struct rules *r = own;

    rules_close(r);
    arena_free(r->arena);
}

static enum rc
cidr_open(const char *type, const char *name, struct map_table *t,
          struct why *why)
{
    struct arena *a = arena_new("table", 4 * MAP_TEXT_MAX);
    struct rules *r = arena_make(a, struct rules);
    enum rc rc = rules_open(r, a, type, name, &cidr, why);

    if (rc == OK)
        t->own = r;
    else
        arena_free(a);
    return rc;
}

static enum rc
cidr_get(void *own, struct str key, struct arena *a, struct str *value,
         struct why *why)
{
    struct network address;

    /* Host names are asked for too; no network holds them. */
    if (!network_address(key, &address))
        return OK;
    return rules_get(own, &cidr, &address, a, value, why);
}

const struct map_type type_cidr = {
    .suffix = "",
    .pattern = true,
    .open = cidr_open,
    .get = cidr_get,
    .close = cidr_close,
};
