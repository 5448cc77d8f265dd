#include "who.h"

#include "base/buf.h"
#include "base/log.h"
#include "conf/expand.h"
#include "mail/address.h"

static void
find_delimiter(struct who *w, const char *delimiters)
{
    if (w->extension.p)
        w->delimiter[0] = w->local.p[w->user.len];
    else
        w->delimiter[0] = delimiters[0];
}

struct who
who_parse(struct arena *a, struct str addr, const char *delimiters)
{
    struct who w = {.addr = addr};
    struct str local;

    address_split(addr, &local, &w.domain);
    w.local = arena_lower(a, local);
    w.user = w.local;
    if (*delimiters &&
        address_extension(w.local, delimiters, &w.user, &w.extension) &&
        str_find(w.extension, '/') >= 0) {
        log_warn("%.*s: address with illegal extension: %.*s", STR(w.local),
                 STR(w.extension));
        w.user = w.local;
        w.extension = (struct str){0};
    }
    find_delimiter(&w, delimiters);
    return w;
}

struct str
who_filter(struct arena *a, struct str value, const char *filter)
{
    struct str allowed = str_from(filter);
    char *p = arena_cstr(a, value);

    for (size_t i = 0; i < value.len; i++)
        if (str_find(allowed, p[i]) < 0)
            p[i] = '_';
    return (struct str){p, value.len};
}

/* A value is text, not a template. */
static struct str
escape_dollars(struct arena *a, struct str value)
{
    if (str_find(value, '$') < 0)
        return value;

    struct buf b = buf_in(a);

    for (size_t i = 0; i < value.len; i++) {
        if (value.p[i] == '$')
            buf_addc(&b, '$');
        buf_addc(&b, value.p[i]);
    }
    return buf_str(&b);
}

struct lookup {
    struct arena *arena;
    struct who_names *names;
};

static bool
get(void *self, struct str name, struct str *raw)
{
    struct lookup *l = self;
    struct who_names *n = l->names;
    const struct who *w = n->who;
    const struct {
        struct str name, value;
    } values[] = {
        {S("user"),                w->user               },
        {S("local"),               w->local              },
        {S("domain"),              w->domain             },
        {S("extension"),           w->extension          },
        {S("recipient"),           w->addr               },
        {S("recipient_delimiter"), str_from(w->delimiter)},
        {S("home"),                str_from(n->home)     },
        {S("shell"),               str_from(n->shell)    },
    };

    for (size_t i = 0; i < COUNT(values); i++) {
        if (!str_eq(values[i].name, name))
            continue;
        if (str_eq(name, S("extension")))
            n->used_extension = true;
        *raw = values[i].value;
        if (n->filter)
            *raw = who_filter(l->arena, *raw, n->filter);
        *raw = escape_dollars(l->arena, *raw);
        return true;
    }
    return false;
}

enum rc
who_expand(struct arena *a, const char *text, struct who_names *names,
           struct str *out, struct why *why)
{
    struct lookup l = {a, names};
    struct expand_names e = {get, &l};

    names->used_extension = false;
    return expand(a, str_from(text), &e, out, why);
}
