#include "conf/defaults.h"

#include <unistd.h>

#include "conf/rows.h"

struct source {
    struct arena *arena;
    const struct settings *settings;
};

static bool get(void *self, struct str name, struct str *raw);

static struct str
host_name(struct arena *a)
{
    char name[256] = "";

    if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0')
        return S("localhost");
    return arena_str(a, str_from(name));
}

/* The kernel's name; without a dot, $mydomain is appended. */
static struct str
myhostname(struct source *s)
{
    struct str name = host_name(s->arena), raw;
    const struct setting *domain = settings_get(s->settings, S("mydomain"));

    if (str_find(name, '.') >= 0)
        return name;
    raw = domain ? domain->value : S("localdomain");
    return str_from(arena_fmt(s->arena, "%.*s.%.*s", STR(name), STR(raw)));
}

static struct str
mydomain(struct source *s)
{
    struct expand_names names = {get, s};
    struct str host, raw;
    struct why why;

    if (!get(s, S("myhostname"), &raw) ||
        expand(s->arena, raw, &names, &host, &why) != OK ||
        !str_cut(&host, '.', NULL))
        return S("localdomain");
    return host;
}

static const struct computed {
    struct str name;
    struct str (*value)(struct source *s);
} computed[] = {
    {S("myhostname"), myhostname},
    {S("mydomain"),   mydomain  },
};

static bool
get(void *self, struct str name, struct str *raw)
{
    struct source *s = self;
    const struct setting *set = settings_get(s->settings, name);
    const struct conf_row *row = set ? NULL : conf_row_find(name);

    if (set) {
        *raw = set->value;
        return true;
    }
    for (size_t i = 0; i < COUNT(computed); i++)
        if (str_eq(computed[i].name, name)) {
            *raw = computed[i].value(s);
            return true;
        }
    if (row)
        *raw = str_from(row->fallback);
    return row != NULL;
}

struct expand_names
defaults_names(struct arena *a, const struct settings *s)
{
    struct source *source = arena_make(a, struct source);

    *source = (struct source){a, s};
    return (struct expand_names){get, source};
}
