#include "map/rules.h"

#include <stdlib.h>

#include "base/log.h"

/* Deeper than anybody writes; keeps the list of open ifs small. */
#define DEPTH_MAX 64

static void
warn(const struct rules *r, unsigned line, const char *text, const char *then)
{
    log_warn("%s map %s, line %u: %s%s", r->type, r->name, line, text, then);
}

static bool
skip_word(struct str *line, struct str word)
{
    struct str rest = *line;

    if (!str_iskip(&rest, word) || (rest.len > 0 && !is_space(rest.p[0])))
        return false;
    *line = str_trim(rest);
    return true;
}

static bool
parse_rule(struct rules *r, const struct rules_type *t, struct str line,
           struct rule *rule, struct why *why)
{
    rule->is_if = skip_word(&line, S("if"));
    while (str_skip(&line, S("!"))) {
        rule->negated = !rule->negated;
        line = str_trim(line);
    }
    rule->pattern = t->parse(r, &line, why);
    if (rule->pattern == NULL)
        return false;
    rule->result = str_trim(line);
    if (rule->is_if) {
        if (rule->result.len > 0)
            warn(r, rule->line, "ignoring extra text after if", "");
        return true;
    }
    return t->check(rule, why) == OK;
}

static void
add_rule(struct rules *r, const struct rules_type *t, struct str line,
         unsigned number)
{
    struct rule rule = {.line = number};
    struct why why = {0};

    if (!parse_rule(r, t, line, &rule, &why)) {
        warn(r, number, why.text,
             rule.is_if ? ": skipping all up to its endif"
                        : ": skipping this rule");
        if (!rule.is_if)
            return;
        rule.broken = true;
    }
    *vec_add(&r->of) = rule;
}

/* An if without an end guards what follows to the end of the table. */
static void
close_ifs(struct rules *r, const size_t *open, size_t depth)
{
    while (depth > 0) {
        struct rule *rule = &r->of.at[open[--depth]];

        warn(r, rule->line, "IF has no matching ENDIF", "");
        rule->next = r->of.len;
    }
}

void
rules_read(struct rules *r, struct source *s, const struct rules_type *t)
{
    size_t open[DEPTH_MAX], depth = 0;
    struct str line;
    unsigned number;

    while (source_line(s, r->arena, &line, &number)) {
        if (skip_word(&line, S("endif"))) {
            if (line.len > 0)
                warn(r, number, "ignoring extra text after ENDIF", "");
            if (depth == 0)
                warn(r, number, "ignoring ENDIF without matching IF", "");
            else
                r->of.at[open[--depth]].next = r->of.len;
            continue;
        }

        size_t before = r->of.len;

        add_rule(r, t, line, number);
        if (r->of.len == before || !r->of.at[before].is_if)
            continue;
        if (depth == DEPTH_MAX) {
            warn(r, number, "too many ifs in one another", ": reading no more");
            r->of.len = before;
            break;
        }
        open[depth++] = before;
    }
    close_ifs(r, open, depth);
}

enum rc
rules_open(struct rules *r, struct arena *a, const char *type, const char *name,
           const struct rules_type *t, struct why *why)
{
    struct source s;
    enum rc rc = source_read(&s, a, name, why);

    if (rc != OK)
        return rc;
    r->arena = a;
    r->type = type;
    r->name = s.name;
    rules_read(r, &s, t);
    return OK;
}

void
rules_close(struct rules *r)
{
    vec_free(&r->of);
}

enum rc
rules_get(struct rules *r, const struct rules_type *t, const void *subject,
          struct arena *a, struct str *value, struct why *why)
{
    for (size_t i = 0; i < r->of.len; i++) {
        const struct rule *rule = &r->of.at[i];
        bool matched = false;

        if (rule->broken)
            i = rule->next - 1;
        else if (t->match(rule->pattern, subject, &matched, why) != OK)
            return fail(why, "4.3.0", "line %u: %s", rule->line, why->text);
        else if (matched != rule->negated && !rule->is_if) {
            *value = t->expand(rule, subject, a);
            return OK;
        } else if (matched == rule->negated && rule->is_if)
            i = rule->next - 1;
    }
    return OK;
}
