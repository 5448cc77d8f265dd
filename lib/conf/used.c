#include "conf/used.h"

#include <stdio.h>

#include "base/hash.h"
#include "conf/expand.h"

struct used {
    struct arena *life;
    struct names *names;
    const struct settings *main;
    const struct services *services;
    struct hash *local;   /* "line name" of an override that is used */
    struct hash *classes; /* smtpd_restriction_classes of main.cf */
    void (*complain)(void *own, const char *file, struct str what);
    void *own;

    /* What is being looked through: a service's overrides, or main.cf. */
    const struct service *scope;
    const char *file;
};

static struct str
local_key(struct used *u, const struct service *s, struct str name)
{
    return str_from(arena_fmt(u->life, "%u %.*s", s->line, STR(name)));
}

static bool
overrides(const struct service *s, struct str name)
{
    for (size_t i = 0; i < s->override_count; i++)
        if (str_eq(s->overrides[i].name, name))
            return true;
    return false;
}

static void
use_local(struct used *u, const struct service *s, struct str name)
{
    *hash_put(u->local, local_key(u, s, name)) = u;
}

/*
 * Something in u->scope (NULL: main.cf) uses that name: the scope's own
 * setting is used then, else main.cf's; what main.cf uses, services may set.
 */
static void
use(void *own, struct str text)
{
    struct used *u = own;
    bool defined = false;

    if (u->scope && overrides(u->scope, text)) {
        defined = true;
        use_local(u, u->scope, text);
    } else if (settings_get(u->main, text)) {
        defined = true;
        names_add_user(u->names, text);
    }
    for (size_t i = 0; u->scope == NULL && i < u->services->count; i++)
        if (overrides(&u->services->at[i], text)) {
            defined = true;
            use_local(u, &u->services->at[i], text);
        }
    if (!defined && names_get(u->names, text) == NULL && u->complain)
        u->complain(u->own, u->file,
                    str_from(arena_fmt(u->life, "undefined parameter: %.*s",
                                       STR(text))));
}

static void
scan_value(struct used *u, struct str name, struct str value)
{
    const struct name *known = names_get(u->names, name);
    struct why why;

    if (known && known->type == CONF_RAW)
        return;
    if (!expand_scan(u->life, value, use, u, &why) && u->complain)
        u->complain(u->own, u->file, str_from(why.text));
}

static void
use_classes(struct used *u, const struct setting *list)
{
    struct str rest = list->value, word;

    while (str_word(&rest, ", \t\r\n", &word)) {
        if (u->scope == NULL)
            *hash_put(u->classes, word) = u;
        use(u, word);
    }
}

static void
scan_service(struct used *u, const struct service *s)
{
    u->scope = s;
    u->file = s->file;
    for (size_t i = 0; i < s->override_count; i++) {
        const struct setting *o = &s->overrides[i];

        if (str_eq(o->name, S("smtpd_restriction_classes")))
            use_classes(u, o);
        if (hash_get(u->classes, o->name))
            use_local(u, s, o->name);
        scan_value(u, o->name, o->value);
    }
}

/*
 * A table of an old style, "ldap:accounts", takes its settings from main.cf
 * as accounts_server_host and so on: whatever begins so is used.
 */
static void
use_tables(struct used *u, struct str value)
{
    static const struct str kinds[] = {S("ldap"), S("mysql"), S("pgsql"),
                                       S("sqlite"), S("memcache")};
    struct str word, kind;

    while (str_word(&value, ", \t\r\n", &word)) {
        str_skip(&word, S("proxy:"));
        if (!str_cut(&word, ':', &kind) || word.len == 0 || word.p[0] == '/')
            continue;
        for (size_t i = 0; i < COUNT(kinds); i++)
            for (size_t k = 0;
                 str_eq(kind, kinds[i]) && k < settings_count(u->main); k++) {
                struct str rest = settings_at(u->main, k)->name;

                if (str_skip(&rest, word) && str_starts(rest, S("_")))
                    use(u, settings_at(u->main, k)->name);
            }
    }
}

static void
scan_main(struct used *u)
{
    const struct setting *classes =
        settings_get(u->main, S("smtpd_restriction_classes"));

    u->scope = NULL;
    u->file = "";
    if (classes)
        use_classes(u, classes);
    for (size_t i = 0; i < settings_count(u->main); i++) {
        const struct setting *set = settings_at(u->main, i);

        u->file = set->file;
        scan_value(u, set->name, set->value);
        use_tables(u, set->value);
    }
}

/* Defaults refer to names Postfix no longer has but sites still set. */
static void
scan_defaults(struct used *u)
{
    size_t count;
    const struct name **all = names_list(u->names, u->life, &count);
    void (*complain)(void *, const char *, struct str) = u->complain;

    u->scope = NULL;
    u->complain = NULL;
    for (size_t i = 0; i < count; i++)
        if (all[i]->fallback && !settings_get(u->main, all[i]->text))
            scan_value(u, all[i]->text, str_from(all[i]->fallback));
    u->complain = complain;
}

struct used *
used_find(struct arena *life, struct names *names, const struct settings *main,
          const struct services *services,
          void (*complain)(void *own, const char *file, struct str what),
          void *own)
{
    struct used *u = arena_make(life, struct used);

    *u = (struct used){
        .life = life,
        .names = names,
        .main = main,
        .services = services,
        .local = hash_new(),
        .classes = hash_new(),
        .complain = complain,
        .own = own,
    };
    scan_defaults(u);
    scan_main(u);
    for (size_t i = 0; i < services->count; i++)
        scan_service(u, &services->at[i]);
    return u;
}

void
used_free(struct used *u)
{
    if (u == NULL)
        return;
    hash_free(u->local);
    hash_free(u->classes);
}

bool
used_in_service(const struct used *u, const struct service *s, struct str name)
{
    char key[512];
    int len = snprintf(key, sizeof key, "%u %.*s", s->line, STR(name));

    return len < (int)sizeof key &&
           hash_get(u->local, (struct str){key, (size_t)len});
}
