#include "conf/check.h"

#include <stdarg.h>

#include "conf/defaults.h"
#include "conf/examine.h"
#include "conf/used.h"
#include "conf/value.h"

enum { CHECK_MEMORY = 256 << 20 }; /* for one service */

/*
 * Names of Postfix's that sites set and that need not do anything: where
 * documents lie, and habits Posta has anyway. "" is any value.
 */
static const struct {
    struct str name, value;
} harmless[] = {
    {S("biff"),                                S("no") },
    {S("command_directory"),                   S("")   },
    {S("compatibility_level"),                 S("")   },
    {S("config_directory"),                    S("")   },
    {S("daemon_directory"),                    S("")   },
    {S("debug_peer_level"),                    S("")   },
    {S("debugger_command"),                    S("")   },
    {S("html_directory"),                      S("")   },
    {S("mail_spool_directory"),                S("")   },
    {S("mailq_path"),                          S("")   },
    {S("manpage_directory"),                   S("")   },
    {S("meta_directory"),                      S("")   },
    {S("newaliases_path"),                     S("")   },
    {S("readme_directory"),                    S("")   },
    {S("sample_directory"),                    S("")   },
    {S("sendmail_path"),                       S("")   },
    {S("shlib_directory"),                     S("")   },
    {S("smtpd_tls_always_issue_session_ids"),  S("")   },
    {S("smtpd_tls_dh512_param_file"),          S("")   },
    {S("smtpd_tls_session_cache_database"),    S("")   },
    {S("tls_daemon_random_bytes"),             S("")   },
    {S("tls_random_bytes"),                    S("")   },
    {S("tls_random_exchange_name"),            S("")   },
    {S("tls_random_source"),                   S("")   },
    {S("unknown_local_recipient_reject_code"), S("550")},
};

PRINTF(4, 0)
static void
exam_report(struct exam *e, bool fatal, const struct setting *at,
            const char *fmt, va_list args)
{
    const char *text = arena_vfmt(e->arena, fmt, args);

    if (at && at->line > 0)
        text = arena_fmt(e->arena, "%s, line %u: %.*s = %.*s: %s", at->file,
                         at->line, STR(at->name), STR(at->value), text);
    else if (at)
        text = arena_fmt(e->arena, "%.*s = %.*s: %s", STR(at->name),
                         STR(at->value), text);
    e->fatal += fatal;
    e->check->report(e->check->own, fatal, text);
}

void
exam_warn(struct exam *e, const struct setting *at, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    exam_report(e, false, at, fmt, args);
    va_end(args);
}

void
exam_fatal(struct exam *e, const struct setting *at, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    exam_report(e, true, at, fmt, args);
    va_end(args);
}

struct str
scope_value(const struct scope *s, const char *name)
{
    struct expand_names names =
        defaults_names(s->arena, s->settings, s->config->names);
    struct str raw, value;
    struct why why;

    if (!names.get(names.self, str_from(name), &raw) ||
        expand(s->arena, raw, &names, &value, &why) != OK)
        return S("");
    return value;
}

static bool
is_harmless(const struct setting *set)
{
    for (size_t i = 0; i < COUNT(harmless); i++)
        if (str_eq(harmless[i].name, set->name))
            return harmless[i].value.len == 0 ||
                   str_eq(harmless[i].value, set->value);
    return false;
}

static void
check_unknown(struct exam *e, const struct setting *set)
{
    const struct name *near = names_nearest(e->config->names, set->name);

    if (near)
        exam_warn(e, set, "unknown parameter; did you mean %.*s?",
                  STR(near->text));
    else
        exam_warn(e, set, "unknown parameter that nothing uses; remove it");
}

/* What a wrong value of that type should have been. */
static const char *
remedy(enum conf_type type)
{
    switch (type) {
    case CONF_INT:
        return "write a whole number, without a unit";
    case CONF_SIZE:
        return "write a number of bytes, without a unit";
    case CONF_TIME:
        return "write a number and a unit: 30s, 5m, 1h, 3d or 2w";
    case CONF_BOOL:
        return "write yes or no";
    default:
        return "";
    }
}

static bool
is_good(const struct scope *s, const struct name *name, struct str value)
{
    struct expand_names names =
        defaults_names(s->arena, s->settings, s->config->names);
    struct str unit = str_from(name->fallback ? name->fallback : "");
    struct why why;
    int64_t number;
    bool flag;

    switch (name->type) {
    case CONF_INT:
    case CONF_SIZE:
        return value_int(value, &number) && number >= 0;
    case CONF_TIME:
        return expand(s->arena, unit, &names, &unit, &why) == OK &&
               value_time(value, value_unit(unit), &number);
    case CONF_BOOL:
        return value_bool(value, &flag);
    default:
        return true;
    }
}

static void
check_value(struct exam *e, const struct scope *s, const struct setting *set,
            const struct name *name)
{
    struct expand_names names =
        defaults_names(s->arena, s->settings, e->config->names);
    struct str value;
    struct why why;

    if (name->type == CONF_RAW)
        return;
    if (expand(s->arena, set->value, &names, &value, &why) != OK)
        exam_fatal(e, set, "%s", why.text);
    else if (!is_good(s, name, value) && str_eq(value, set->value))
        exam_fatal(e, set, "%s", remedy(name->type));
    else if (!is_good(s, name, value))
        exam_fatal(e, set, "%s (it comes to \"%.*s\")", remedy(name->type),
                   STR(value));
}

/* What of Posta's own does what a site wants by such a name, or "". */
static const char *
instead(struct str name)
{
    static const struct {
        struct str name;
        const char *text;
    } rows[] = {
        {S("smtpd_sasl_local_domain"), "; auth_default_realm is what its own "
                                       "logins ask"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_eq(name, rows[i].name))
            return rows[i].text;
    return "";
}

static void
check_setting(struct exam *e, const struct scope *s, const struct setting *set,
              const struct used *used)
{
    const struct name *name = names_get(e->config->names, set->name);

    if (name && name->acts)
        check_value(e, s, set, name);
    else if (s->service && used_in_service(used, s->service, set->name))
        return;
    else if (name == NULL)
        check_unknown(e, set);
    else if (name->class != NAME_USER && !is_harmless(set) &&
             !str_eq(set->value, str_from(name->fallback)))
        exam_warn(e, set, "has no effect in Posta%s", instead(set->name));
}

static void
complain(void *own, const char *file, struct str what)
{
    exam_warn(own, NULL, "%s: %.*s", file, STR(what));
}

static void
check_scope(struct exam *e, const struct service *service,
            const struct used *used)
{
    struct scope s = {
        .config = e->config,
        .service = service,
        .settings = settings_copy(e->arena, e->config->main),
        .arena = e->arena,
    };
    size_t count =
        service ? service->override_count : settings_count(e->config->main);

    for (size_t i = 0; service && i < count; i++) {
        const struct setting *o = &service->overrides[i];

        settings_put(s.settings, o->name, o->value, o->file, o->line);
    }
    for (size_t i = 0; i < count; i++) {
        const struct setting *set =
            service ? &service->overrides[i] : settings_at(s.settings, i);

        if (set->line > 0)
            check_setting(e, &s, set, used);
        if (!service && set->line > 0 && set->replaced)
            exam_warn(e, set, "replaces the setting of line %u; remove one",
                      set->replaced->line);
    }
    exam_risks(e, &s);
    settings_free(s.settings);
    arena_reset(e->arena);
}

size_t
config_check(const struct config *c, const struct check *check)
{
    struct arena *life = arena_new("configuration check", CHECK_MEMORY);
    struct exam e = {
        .config = c,
        .check = check,
        .arena = arena_new("service check", CHECK_MEMORY),
    };
    struct used *used =
        used_find(life, c->names, c->main, &c->services, complain, &e);

    check_scope(&e, NULL, used);
    for (size_t i = 0; i < c->services.count; i++)
        check_scope(&e, &c->services.at[i], used);
    used_free(used);
    arena_free(e.arena);
    arena_free(life);
    return e.fatal;
}
