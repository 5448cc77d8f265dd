/*
 * pcre and regexp: regular expressions in order, "/expression/flags RESULT".
 * Both run on PCRE2 with its compiler to machine code; a regexp table is
 * translated when it is read (posix.h). Flags toggle: matching is blind to
 * case unless "i" says otherwise.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>

#include "base/log.h"
#include "map/posix.h"
#include "map/rules.h"
#include "map/type.h"

/* What one match may cost: some milliseconds and 16 MiB. */
#define MATCH_LIMIT ((uint32_t)1000000)
#define HEAP_LIMIT  ((uint32_t)16384)
#define GROUPS_MAX  100

struct table {
    struct rules rules; /* first: parse gets this address */
    struct arena *arena;
    bool fixed; /* no pieces of the key in results */
    pcre2_compile_context *compile;
    pcre2_match_context *context;
    pcre2_match_data *data;
    pcre2_jit_stack *stack;
    VEC(pcre2_code *) codes; /* for closing */
};

/* A piece of a result: text, then a group (0 is none). */
struct piece {
    struct str text;
    unsigned group;
};

struct pattern {
    struct table *table;
    pcre2_code *code, *except; /* except: "/code/!/except/", regexp only */
    unsigned groups;
    struct piece *pieces; /* NULL: the result is taken as it is */
    size_t count;
};

/* Options as the flags of one type toggle them. */
struct dialect {
    bool posix;
    uint32_t options;
    struct flag {
        char letter;
        uint32_t option;
    } flags[8];
};

/* The extended syntax of regexp, in a bit that is not used otherwise. */
#define EXTENDED_SYNTAX PCRE2_ALT_BSUX

static const struct dialect pcre = {
    .options = PCRE2_CASELESS | PCRE2_DOTALL,
    .flags = {{'i', PCRE2_CASELESS},
              {'m', PCRE2_MULTILINE},
              {'s', PCRE2_DOTALL},
              {'x', PCRE2_EXTENDED},
              {'A', PCRE2_ANCHORED},
              {'E', PCRE2_DOLLAR_ENDONLY},
              {'U', PCRE2_UNGREEDY},
              {'X', 0}},
};

static const struct dialect posix = {
    .posix = true,
    .options =
        PCRE2_CASELESS | PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY | EXTENDED_SYNTAX,
    .flags = {{'i', PCRE2_CASELESS},
              {'m', PCRE2_MULTILINE | PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY},
              {'x', EXTENDED_SYNTAX}},
};

/* Cut "/expression/flags"; the text begins with the delimiter. */
static enum rc
cut_expression(const struct dialect *d, struct str *text, struct str *re,
               uint32_t *options, struct why *why)
{
    char delimiter = text->len > 0 ? text->p[0] : 'a';
    size_t end = 1;

    if (is_alnum(delimiter))
        return fail(why, "5.3.5", "ignoring unrecognized request");
    while (end < text->len && text->p[end] != delimiter)
        end += text->p[end] == '\\' ? 2 : 1;
    if (end >= text->len)
        return fail(why, "5.3.5", "no closing regexp delimiter \"%c\"",
                    delimiter);
    *re = str_sub(*text, 1, end - 1);
    *text = str_sub(*text, end + 1, text->len);

    *options = d->options;
    while (text->len > 0 && !is_space(text->p[0]) && text->p[0] != '!') {
        const struct flag *f = d->flags;

        while (f < d->flags + COUNT(d->flags) && f->letter != text->p[0])
            f++;
        if (f == d->flags + COUNT(d->flags))
            return fail(why, "5.3.5", "unknown regexp option \"%c\"",
                        text->p[0]);
        *options ^= f->option;
        *text = str_sub(*text, 1, text->len);
    }
    return OK;
}

static enum rc
compile(struct table *t, const struct dialect *d, struct str re,
        uint32_t options, pcre2_code **code, struct why *why)
{
    struct buf translated = buf_in(t->arena);
    unsigned char text[200] = "";
    size_t at;
    int err;

    if (d->posix) {
        if (posix_to_pcre(re, options & EXTENDED_SYNTAX, &translated, why) !=
            OK)
            return PERM;
        re = buf_str(&translated);
    }
    *code = pcre2_compile((PCRE2_SPTR)re.p, re.len, options & ~EXTENDED_SYNTAX,
                          &err, &at, t->compile);
    if (*code == NULL) {
        pcre2_get_error_message(err, text, sizeof text);
        return fail(why, "5.3.5", "error in regex at offset %zu: %s", at,
                    (char *)text);
    }

    /* Where memory must not become code, PCRE2 interprets. */
    (void)pcre2_jit_compile(*code, PCRE2_JIT_COMPLETE);
    *vec_add(&t->codes) = *code;
    return OK;
}

static enum rc
parse_one(struct table *t, const struct dialect *d, struct str *text,
          pcre2_code **code, struct why *why)
{
    struct str re = {0};
    uint32_t options = 0;
    enum rc rc = cut_expression(d, text, &re, &options, why);

    return rc == OK ? compile(t, d, re, options, code, why) : rc;
}

static enum rc
parse(struct pattern *p, const struct dialect *d, struct str *text,
      struct why *why)
{
    uint32_t groups = 0;
    enum rc rc = parse_one(p->table, d, text, &p->code, why);

    if (rc != OK)
        return rc;
    pcre2_pattern_info(p->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    p->groups = groups;
    if (text->len == 0 || text->p[0] != '!')
        return OK;
    if (!d->posix)
        return fail(why, "5.3.5", "unknown regexp option \"!\"");
    *text = str_sub(*text, 1, text->len);
    return parse_one(p->table, d, text, &p->except, why);
}

static void *
pattern_new(struct rules *r, const struct dialect *d, struct str *text,
            struct why *why)
{
    struct pattern *p = arena_make(r->arena, struct pattern);

    p->table = (struct table *)r;
    return parse(p, d, text, why) == OK ? p : NULL;
}

static void *
pcre_parse(struct rules *r, struct str *text, struct why *why)
{
    return pattern_new(r, &pcre, text, why);
}

static void *
posix_parse(struct rules *r, struct str *text, struct why *why)
{
    return pattern_new(r, &posix, text, why);
}

/* The name of a macro, behind its "$"; steps over it. */
static enum rc
cut_macro(struct str *text, struct str *name, struct why *why)
{
    struct str whole = *text;
    char open = text->len > 0 ? text->p[0] : '\0';
    size_t len = 0;

    if (open == '{' || open == '(') {
        if (!str_cut(text, open == '{' ? '}' : ')', name))
            return fail(why, "5.3.5", "truncated macro reference: \"$%.*s\"",
                        STR(whole));
        *name = str_sub(*name, 1, name->len);
        return OK;
    }
    while (len < text->len && (is_alnum(text->p[len]) || text->p[len] == '_'))
        len++;
    *name = str_sub(*text, 0, len);
    *text = str_sub(*text, len, text->len);
    if (len == 0)
        return fail(why, "5.3.5", "empty macro name: \"$%.*s\"", STR(whole));
    return OK;
}

static enum rc
check_macro(const struct rule *rule, struct str name, uint64_t *group,
            struct why *why)
{
    const struct pattern *p = rule->pattern;

    if (!str_num(name, group))
        return fail(why, "5.3.5", "non-numeric replacement index \"%.*s\"",
                    STR(name));
    if (p->table->fixed)
        return fail(why, "5.3.5",
                    "regular expression substitution is not allowed here");
    if (rule->negated)
        return fail(why, "5.3.5",
                    "$number found in negative match replacement text");
    if (*group < 1 || *group > p->groups || *group >= GROUPS_MAX)
        return fail(why, "5.3.5", "out of range replacement index \"%.*s\"",
                    STR(name));
    return OK;
}

/* Cut the result into pieces. */
static enum rc
check(const struct rule *rule, struct why *why)
{
    struct pattern *p = rule->pattern;
    struct str rest = rule->result, text, name;
    VEC(struct piece) pieces = {0};
    enum rc rc = OK;

    if (rest.len == 0)
        log_warn("%s map %s, line %u: no replacement text: using empty string",
                 p->table->rules.type, p->table->rules.name, rule->line);
    while (rc == OK && rest.len > 0) {
        uint64_t group = 0;
        bool macro = str_cut(&rest, '$', &text);

        if (macro && str_skip(&rest, S("$")))
            text.len++;
        else if (macro && (rc = cut_macro(&rest, &name, why)) == OK)
            rc = check_macro(rule, name, &group, why);
        *vec_add(&pieces) = (struct piece){text, (unsigned)group};
    }
    if (rc == OK) {
        p->pieces =
            arena_alloc(p->table->arena, pieces.len * sizeof *pieces.at + 1);
        p->count = pieces.len;
        if (pieces.len)
            memcpy(p->pieces, pieces.at, pieces.len * sizeof *pieces.at);
    }
    vec_free(&pieces);
    return rc;
}

static enum rc
run(const struct pattern *p, pcre2_code *code, struct str s, bool *matched,
    struct why *why)
{
    struct table *t = p->table;
    int n =
        pcre2_match(code, (PCRE2_SPTR)s.p, s.len, 0, 0, t->data, t->context);

    *matched = n >= 0;
    if (n >= 0 || n == PCRE2_ERROR_NOMATCH)
        return OK;

    unsigned char text[200] = "";

    pcre2_get_error_message(n, text, sizeof text);
    return fail(why, "4.3.0", "%s", (char *)text);
}

static enum rc
match(void *pattern, const void *subject, bool *matched, struct why *why)
{
    const struct pattern *p = pattern;
    const struct str *s = subject;
    bool excepted = false;

    if (p->except && run(p, p->except, *s, &excepted, why) != OK)
        return TEMP;
    *matched = false;
    return excepted ? OK : run(p, p->code, *s, matched, why);
}

static struct str
expand(const struct rule *rule, const void *subject, struct arena *a)
{
    const struct pattern *p = rule->pattern;
    const struct str *s = subject;
    const size_t *at = pcre2_get_ovector_pointer(p->table->data);
    struct buf out = buf_in(a);

    for (size_t i = 0; i < p->count; i++) {
        size_t group = p->pieces[i].group;

        buf_add(&out, p->pieces[i].text);
        if (group && at[2 * group] != PCRE2_UNSET)
            buf_add(&out, str_sub(*s, at[2 * group],
                                  at[2 * group + 1] - at[2 * group]));
    }
    return buf_str(&out);
}

static const struct rules_type pcre_rules = {
    .parse = pcre_parse, .check = check, .match = match, .expand = expand};
static const struct rules_type posix_rules = {
    .parse = posix_parse, .check = check, .match = match, .expand = expand};

static void
pattern_close(void *own)
{
    struct table *t = own;

    for (size_t i = 0; i < t->codes.len; i++)
        pcre2_code_free(t->codes.at[i]);
    vec_free(&t->codes);
    pcre2_match_data_free(t->data);
    pcre2_match_context_free(t->context);
    pcre2_compile_context_free(t->compile);
    pcre2_jit_stack_free(t->stack);
    rules_close(&t->rules);
    arena_free(t->arena);
}

static struct table *
table_new(void)
{
    struct arena *a = arena_new("table", 8 * MAP_TEXT_MAX);
    struct table *t = arena_make(a, struct table);

    t->arena = a;
    t->compile = pcre2_compile_context_create(NULL);
    t->context = pcre2_match_context_create(NULL);
    t->data = pcre2_match_data_create(GROUPS_MAX, NULL);
    t->stack = pcre2_jit_stack_create(32 << 10, 1 << 20, NULL);
    must(t->compile && t->context && t->data);
    pcre2_set_max_pattern_length(t->compile, 65536);
    pcre2_set_match_limit(t->context, MATCH_LIMIT);
    pcre2_set_heap_limit(t->context, HEAP_LIMIT);
    pcre2_jit_stack_assign(t->context, NULL, t->stack);
    return t;
}

static enum rc
pattern_open(const char *type, const char *name, struct map_table *table,
             struct why *why)
{
    struct table *t = table_new();

    t->fixed = table->fixed;
    enum rc rc =
        rules_open(&t->rules, t->arena, type, name,
                   strcmp(type, "pcre") == 0 ? &pcre_rules : &posix_rules, why);

    if (rc == OK)
        table->own = t;
    else
        pattern_close(t);
    return rc;
}

static enum rc
pcre_get(void *own, struct str key, struct arena *a, struct str *value,
         struct why *why)
{
    struct table *t = own;

    return rules_get(&t->rules, &pcre_rules, &key, a, value, why);
}

static enum rc
posix_get(void *own, struct str key, struct arena *a, struct str *value,
          struct why *why)
{
    struct table *t = own;

    return rules_get(&t->rules, &posix_rules, &key, a, value, why);
}

const struct map_type type_pcre = {
    .suffix = "",
    .pattern = true,
    .open = pattern_open,
    .get = pcre_get,
    .close = pattern_close,
};

const struct map_type type_regexp = {
    .suffix = "",
    .pattern = true,
    .open = pattern_open,
    .get = posix_get,
    .close = pattern_close,
};
