/*
 * What postconf shows of main.cf and master.cf.
 */
#include <stdlib.h>
#include <unistd.h>

#include "conf/defaults.h"
#include "conf/pattern.h"
#include "conf/print.h"
#include "postconf.h"

/* Names that Postfix sets itself, whatever main.cf says. */
static bool
own_value(struct postconf *p, const struct service *s, struct str name,
          struct str *raw)
{
    if (str_eq(name, S("process_id")))
        *raw = str_from(arena_fmt(p->arena, "%d", (int)getpid()));
    else if (str_eq(name, S("process_name")))
        *raw = s ? s->columns[COLUMN_COMMAND] : S("postconf");
    else if (str_eq(name, S("service_name")))
        *raw = s ? s->columns[COLUMN_NAME] : S("");
    else
        return false;
    return true;
}

bool
pc_get(struct postconf *p, const struct service *s, struct str name,
       struct str *raw)
{
    const struct setting *set = settings_get(p->main, name);

    if (own_value(p, s, name, raw))
        return true;
    for (size_t i = s ? s->override_count : 0; i > 0; i--)
        if (str_eq(s->overrides[i - 1].name, name)) {
            *raw = s->overrides[i - 1].value;
            return true;
        }
    if (set) {
        *raw = set->value;
        return true;
    }
    if (!p->dir_given && str_eq(name, S("config_directory"))) {
        *raw = str_from(p->dir);
        return true;
    }
    return defaults_get(p->arena, p->main, p->names, name, raw);
}

struct scope {
    struct postconf *p;
    const struct service *service;
};

static bool
get_in(void *self, struct str name, struct str *raw)
{
    struct scope *s = self;

    return pc_get(s->p, s->service, name, raw);
}

struct str
pc_expand(struct postconf *p, const struct service *s, struct str raw)
{
    struct scope scope = {p, s};
    struct expand_names names = {get_in, &scope};
    struct str text;
    struct why why;

    if (expand(p->arena, raw, &names, &text, &why) != OK) {
        pc_warn(p, "%s", why.text);
        pc_fatal(p, "macro processing error");
    }
    return text;
}

/* "name = value" as the options want it. */
static void
show_value(struct postconf *p, struct str name, struct str value)
{
    struct buf line = buf_in(p->arena);

    if (p->options & PC_NO_VALUE)
        buf_add(&line, name);
    else if (p->options & PC_NO_NAME)
        buf_add(&line, value);
    else
        buf_fmt(&line, "%.*s = %.*s", STR(name), STR(value));
    print_line(&p->out, buf_str(&line), p->options & PC_FOLD);
}

static void
show_name(struct postconf *p, const struct name *name)
{
    struct str raw;

    if (p->options & PC_SET && !settings_get(p->main, name->text))
        return;
    if (!pc_get(p, NULL, name->text, &raw))
        return;
    if (p->options & PC_EXPAND && name->type != CONF_RAW)
        raw = pc_expand(p, NULL, raw);
    show_value(p, name->text, raw);
}

static void
show_all(struct postconf *p)
{
    size_t count;
    const struct name **all = names_list(p->names, p->arena, &count);

    for (size_t i = 0; i < count; i++) {
        const struct name *n = all[i];

        /* Names of later Postfix versions show only where they are set. */
        bool later = n->since > 307 && !n->acts;

        if (n->class & p->classes && (!later || settings_get(p->main, n->text)))
            show_name(p, n);
    }
}

void
pc_show_main(struct postconf *p)
{
    if (p->word_count == 0)
        show_all(p);
    for (size_t i = 0; i < p->word_count; i++) {
        const struct name *n = names_get(p->names, str_from(p->words[i]));

        if (n == NULL)
            pc_warn(p, "%s: unknown parameter", p->words[i]);
        else
            show_name(p, n);
    }
}

/* A request for parts of master.cf. */
struct request {
    struct pattern pattern;
    bool any_field;
    enum service_column column; /* where not any_field */
    size_t found;
};

static struct request *
requests(struct postconf *p, size_t max, const char *form)
{
    struct request *list = arena_alloc(p->arena, p->word_count * sizeof *list);

    for (size_t i = 0; i < p->word_count; i++)
        if (!pattern_parse(str_from(p->words[i]), 1, max, &list[i].pattern))
            pc_fatal(p, "%s", form);
    return list;
}

/* Call for each row and request that match, or for each row alone. */
static void
each_row(struct postconf *p, struct request *list,
         void (*run)(struct postconf *p, const struct service *s,
                     struct request *r))
{
    for (size_t i = 0; i < p->services.count; i++) {
        const struct service *s = &p->services.at[i];

        if (p->word_count == 0)
            run(p, s, NULL);
        for (size_t k = 0; k < p->word_count; k++)
            if (pattern_matches(&list[k].pattern, s->columns[COLUMN_NAME],
                                s->columns[COLUMN_TYPE]))
                run(p, s, &list[k]);
    }
    for (size_t k = 0; k < p->word_count; k++)
        if (list[k].found == 0)
            pc_warn(p, "unmatched request: \"%s\"", p->words[k]);
}

/* "name=value" of an -o with the value expanded. */
static struct str
expand_override(void *self, const struct service *s, struct str text)
{
    struct postconf *p = self;

    return p->options & PC_EXPAND ? pc_expand(p, s, text) : text;
}

static void
show_service(struct postconf *p, const struct service *s, struct request *r)
{
    const struct print_values values = {expand_override, p};

    if (r)
        r->found++;
    print_service(&p->out, s, p->options & PC_FOLD, &values);
}

void
pc_show_services(struct postconf *p)
{
    each_row(p, requests(p, 2, "-M option requires service_name[/type]"),
             show_service);
}

static void
show_field(struct postconf *p, const struct service *s,
           enum service_column column)
{
    const struct print_values values = {expand_override, p};

    if (p->options & PC_NO_VALUE)
        buf_fmt(&p->out, "%.*s/%.*s/%s\n", STR(s->columns[COLUMN_NAME]),
                STR(s->columns[COLUMN_TYPE]), service_columns[column]);
    else
        print_field(&p->out, s, column, !(p->options & PC_NO_NAME),
                    p->options & PC_FOLD, &values);
}

static void
show_fields(struct postconf *p, const struct service *s, struct request *r)
{
    if (r)
        r->found++;
    for (unsigned i = 0; i < COLUMN_COUNT; i++)
        if (r == NULL || r->any_field || r->column == i)
            show_field(p, s, (enum service_column)i);
}

void
pc_show_fields(struct postconf *p)
{
    struct request *list =
        requests(p, 3, "-F option requires service_name[/type[/field]]");

    for (size_t i = 0; i < p->word_count; i++) {
        struct str field = list[i].pattern.part;

        list[i].any_field = pattern_is_any(field);
        if (!list[i].any_field && !pattern_column(field, &list[i].column))
            pc_fatal(p, "invalid service attribute name: \"%.*s\"", STR(field));
    }
    each_row(p, list, show_fields);
}

static int
setting_order(const void *a, const void *b)
{
    return str_cmp((*(const struct setting *const *)a)->name,
                   (*(const struct setting *const *)b)->name);
}

/* A service's overrides by name, each name once, with its last value. */
static const struct setting **
sorted(struct postconf *p, const struct service *s, size_t *count)
{
    const struct setting **list =
        arena_alloc(p->arena, s->override_count * sizeof *list);

    *count = 0;
    for (size_t i = 0; i < s->override_count; i++) {
        size_t k = 0;

        while (k < *count && !str_eq(list[k]->name, s->overrides[i].name))
            k++;
        list[k] = &s->overrides[i];
        *count += k == *count;
    }
    if (*count > 1)
        qsort(list, *count, sizeof *list, setting_order);
    return list;
}

static void
show_params(struct postconf *p, const struct service *s, struct request *r)
{
    size_t count;
    const struct setting **list = sorted(p, s, &count);
    bool any = r == NULL || pattern_is_any(r->pattern.part);

    if (r && any && count > 0)
        r->found++;
    for (size_t i = 0; i < count; i++) {
        struct str name = list[i]->name, value = list[i]->value;

        if (!any && !str_eq(name, r->pattern.part))
            continue;
        if (r && !any)
            r->found++;
        if (p->options & PC_EXPAND)
            value = pc_expand(p, s, value);
        show_value(p,
                   str_from(arena_fmt(p->arena, "%.*s/%.*s/%.*s",
                                      STR(s->columns[COLUMN_NAME]),
                                      STR(s->columns[COLUMN_TYPE]), STR(name))),
                   value);
    }
}

void
pc_show_params(struct postconf *p)
{
    each_row(
        p, requests(p, 3, "-P option requires service_name[/type[/parameter]]"),
        show_params);
}
