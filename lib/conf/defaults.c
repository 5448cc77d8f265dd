#include "conf/defaults.h"

#include <unistd.h>

#include "conf/networks.h"
#include "conf/quotas.h"

enum { COUNT_COMPUTED = 4 };

struct source {
    struct arena *arena;
    const struct settings *settings;
    const struct names *names;
    struct {
        bool made; /* or being made: "myhostname = $mydomain" asks again */
        struct str value;
    } computed[COUNT_COMPUTED];
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
expanded(struct source *s, struct str name)
{
    struct expand_names names = {get, s};
    struct str raw, text;
    struct why why;

    if (!get(s, name, &raw) || expand(s->arena, raw, &names, &text, &why) != OK)
        return S("");
    return text;
}

static struct str
mydomain(struct source *s)
{
    struct str host = expanded(s, S("myhostname"));

    return str_cut(&host, '.', NULL) ? host : S("localdomain");
}

static struct str
mynetworks(struct source *s)
{
    return networks_default(s->arena, expanded(s, S("inet_interfaces")),
                            expanded(s, S("inet_protocols")),
                            expanded(s, S("mynetworks_style")));
}

static struct str
quota_rule(struct source *s)
{
    return quotas_default(s->arena, expanded(s, S("auth_user_sources")));
}

static const struct computed {
    struct str name;
    struct str (*value)(struct source *s);
} computed[COUNT_COMPUTED] = {
    {S("myhostname"), myhostname},
    {S("mydomain"),   mydomain  },
    {S("mynetworks"), mynetworks},
    {S("quota_rule"), quota_rule},
};

static bool
get_default(struct source *s, struct str text, struct str *raw)
{
    const struct name *name;

    for (size_t i = 0; i < COUNT(computed); i++)
        if (str_eq(computed[i].name, text)) {
            if (!s->computed[i].made) {
                s->computed[i].made = true;
                s->computed[i].value = S("");
                s->computed[i].value = computed[i].value(s);
            }
            *raw = s->computed[i].value;
            return true;
        }
    name = names_get(s->names, text);
    if (name == NULL || name->fallback == NULL)
        return false;
    *raw = str_from(name->fallback);
    return true;
}

static bool
get(void *self, struct str name, struct str *raw)
{
    struct source *s = self;
    const struct setting *set = settings_get(s->settings, name);

    if (set == NULL)
        return get_default(s, name, raw);
    *raw = set->value;
    return true;
}

struct expand_names
defaults_names(struct arena *a, const struct settings *s,
               const struct names *names)
{
    struct source *source = arena_make(a, struct source);

    source->arena = a;
    source->settings = s;
    source->names = names;
    return (struct expand_names){get, source};
}

bool
defaults_get(struct arena *a, const struct settings *s,
             const struct names *names, struct str name, struct str *raw)
{
    struct source source = {.arena = a, .settings = s, .names = names};

    return get_default(&source, name, raw);
}
