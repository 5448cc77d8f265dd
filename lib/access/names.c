#include "access/names.h"

#define INBOX S("INBOX")

struct names
names_of(const struct conf *conf)
{
    return (struct names){
        .prefix = str_from(conf->imap_private_prefix),
        .separator = *conf->imap_hierarchy_separator == '.' ? '.' : '/',
    };
}

/* "inbox.Work": what stands behind "inbox"; false where there is no such. */
static bool
is_below_inbox(const struct names *n, struct str name, struct str *below)
{
    *below = name;
    return str_iskip(below, INBOX) && below->len > 0 &&
           below->p[0] == n->separator;
}

struct str
names_canonical(const struct names *n, struct arena *a, struct str name)
{
    struct str below;

    if (is_below_inbox(n, name, &below) && !str_starts(name, INBOX))
        name.p = memcpy(arena_cstr(a, name), INBOX.p, INBOX.len);
    below = name;
    (void)str_skip(&below, n->prefix);
    return str_ieq(below, INBOX) ? INBOX : name;
}

bool
names_inner(const struct names *n, struct str name, struct str *inner)
{
    *inner = name;
    return str_ieq(name, INBOX) || str_skip(inner, n->prefix);
}

struct str
names_told(const struct names *n, struct str name)
{
    struct str inner;

    return names_inner(n, name, &inner) ? inner : name;
}

struct str
names_outer(const struct names *n, struct arena *a, struct str inner)
{
    if (n->prefix.len == 0 || str_eq(inner, INBOX))
        return inner;
    return str_from(arena_fmt(a, "%.*s%.*s", STR(n->prefix), STR(inner)));
}

struct str
names_divided(struct arena *a, struct str name, char from, char to)
{
    char *p = arena_cstr(a, name);

    for (size_t i = 0; i < name.len; i++)
        if (p[i] == from)
            p[i] = to;
    return (struct str){p, name.len};
}

bool
names_is_prefix(const struct names *n, struct str name)
{
    return n->prefix.len > 0 && !str_eq(name, INBOX) &&
           str_eq(name, str_sub(n->prefix, 0, n->prefix.len - 1));
}
