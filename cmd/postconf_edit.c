/*
 * What postconf changes in main.cf and master.cf.
 */
#include <stdio.h>

#include "conf/edit.h"
#include "conf/replace.h"
#include "postconf.h"

static enum edit
what(const struct postconf *p)
{
    return p->options & PC_EDIT      ? EDIT_SET
           : p->options & PC_COMMENT ? EDIT_COMMENT
                                     : EDIT_REMOVE;
}

static bool
has_blank(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (is_space(s.p[i]))
            return true;
    return false;
}

/* The word without blanks around it; no line break, no comment. */
static struct str
clean(struct postconf *p, const char *word, const char *options)
{
    struct str text = str_trim(str_from(word));

    if (strchr(word, '\n'))
        pc_fatal(p, "%s no multi-line input", options);
    if (str_starts(text, S("#")))
        pc_fatal(p, "%s no comment input", options);
    return text;
}

static void
cut(struct postconf *p, const char *word, struct str text, struct str *name,
    struct str *value)
{
    const char *problem;

    if (!setting_cut(text, name, value, &problem))
        pc_fatal(p, "%s: \"%s\"", problem, word);
}

static void
parse_main(struct postconf *p, const char *word, struct edit_main *e)
{
    struct str text = clean(p, word, "-e, -X, or -# accepts");

    if (p->options & PC_EDIT) {
        cut(p, word, text, &e->name, &e->value);
        return;
    }
    if (text.len == 0)
        pc_fatal(p, "-X or -# requires non-blank parameter names");
    if (str_find(text, '=') >= 0)
        pc_fatal(p, "-X or -# requires parameter names without value");
    e->name = text;
}

/* A name that is asked for again: only the last request counts. */
static void
add_main(struct postconf *p, struct edit_main *edits, size_t *count,
         const struct edit_main *e)
{
    size_t i = 0;

    while (i < *count && !str_eq(edits[i].name, e->name))
        i++;
    if (i < *count)
        pc_warn(p, "ignoring earlier request: '%.*s = %.*s'",
                STR(edits[i].name), STR(edits[i].value));
    edits[i] = *e;
    *count += i == *count;
}

void
pc_edit_main(struct postconf *p)
{
    const char *path = pc_path(p, "main.cf");
    struct edit_main *edits =
        arena_alloc(p->arena, p->word_count * sizeof *edits);
    size_t count = 0;
    struct replace file;
    struct str text;
    struct why why;

    for (size_t i = 0; i < p->word_count; i++) {
        struct edit_main e = {0};

        parse_main(p, p->words[i], &e);
        add_main(p, edits, &count, &e);
    }
    if (replace_begin(p->arena, path, &file, &text, &why) != OK)
        pc_fatal(p, "%s", why.text);
    text = edit_main(p->arena, text, what(p), edits, count);
    for (size_t i = 0; i < count; i++)
        if (edits[i].found > 1)
            pc_warn(p, "%s: multiple entries for \"%.*s\"", path,
                    STR(edits[i].name));
    if (replace_commit(&file, text, &why) != OK)
        pc_fatal(p, "%s", why.text);
}

static void
parse_service(struct postconf *p, struct str text, struct edit_master *e)
{
    if (!pattern_parse(text, 2, 2, &e->pattern))
        pc_fatal(p, "-Me, -MX or -M# requires service_name/type");
}

static void
parse_field(struct postconf *p, struct str text, struct edit_master *e)
{
    if (!pattern_parse(text, 3, 3, &e->pattern))
        pc_fatal(p, "-Fe or -FX requires service_name/type/field_name");
    if (pattern_is_any(e->pattern.part))
        pc_fatal(p, "-Fe does not accept wild-card field name");
    if (!pattern_column(e->pattern.part, &e->column))
        pc_fatal(p, "invalid service attribute name: \"%.*s\"",
                 STR(e->pattern.part));
    if (e->column != COLUMN_COMMAND && has_blank(e->value))
        pc_fatal(p, "-Fe does not accept whitespace in non-command field");
}

static void
parse_param(struct postconf *p, struct str text, struct edit_master *e)
{
    if (!pattern_parse(text, 3, 3, &e->pattern))
        pc_fatal(p, "-Pe or -PX requires service_name/type/parameter");
    if (pattern_is_any(e->pattern.part))
        pc_fatal(p, "-Pe does not accept wild-card parameter name");
    if (has_blank(e->value))
        pc_fatal(p, "-Pe does not accept whitespace in parameter value");
}

static enum edit_part
parse_master(struct postconf *p, const char *word, struct edit_master *e)
{
    struct str text = clean(p, word, "-Me, -Fe, -Pe, -X, or -# accept");

    if (p->options & PC_EDIT)
        cut(p, word, text, &text, &e->value);
    else if (str_find(text, '=') >= 0)
        pc_fatal(p, "-X or -# requires names without value");
    if (p->options & PC_SERVICES) {
        parse_service(p, text, e);
        return EDIT_SERVICE;
    }
    if (p->options & PC_FIELDS) {
        parse_field(p, text, e);
        return EDIT_FIELD;
    }
    parse_param(p, text, e);
    return EDIT_PARAM;
}

void
pc_edit_master(struct postconf *p)
{
    const char *path = pc_path(p, "master.cf");
    struct edit_master *edits =
        arena_alloc(p->arena, p->word_count * sizeof *edits);
    enum edit_part part = EDIT_SERVICE;
    struct replace file;
    struct str text;
    struct why why;

    for (size_t i = 0; i < p->word_count; i++)
        part = parse_master(p, p->words[i], &edits[i]);
    if (replace_begin(p->arena, path, &file, &text, &why) != OK)
        pc_fatal(p, "%s", why.text);
    if (edit_master(p->arena, text, path, part, what(p), edits, p->word_count,
                    &text, &why) != OK) {
        replace_cancel(&file);
        pc_fatal(p, "%s", why.text);
    }
    for (size_t i = 0; i < p->word_count; i++)
        if (edits[i].found == 0 && part != EDIT_SERVICE)
            pc_warn(p, "unmatched service_name/type: \"%s\"", p->words[i]);
    if (replace_commit(&file, text, &why) != OK)
        pc_fatal(p, "%s", why.text);
}
