#include "parse.h"

#include "mail/imap_text.h"
#include "parser.h"

static const struct row {
    const char *name;
    unsigned when;
    parse_arguments *arguments;
} rows[] = {
#define COMMAND(id, name, when, arguments) {name, when, arguments},
#include "commands.def"
#undef COMMAND
};

static const struct row *
row_of(enum command_id id)
{
    must(id > COMMAND_NONE && id < COMMAND_COUNT);
    return &rows[id - 1];
}

const char *
command_name(enum command_id id)
{
    return row_of(id)->name;
}

unsigned
command_when(enum command_id id)
{
    return row_of(id)->when;
}

bool
parse_nothing(struct parser *p, struct command *c)
{
    (void)p, (void)c;
    return true;
}

/* RFC 9051 9: any atom byte but "+". */
static bool
parse_tag(struct parser *p, struct str *tag)
{
    size_t i = 0;

    while (i < p->rest.len && imap_is_atom_char(p->rest.p[i]) &&
           p->rest.p[i] != '+')
        i++;
    *tag = str_sub(p->rest, 0, i);
    p->rest = str_sub(p->rest, i, p->rest.len);
    if (i > 0 && (p->rest.len == 0 || parse_at(p, ' ')))
        return true;
    *tag = (struct str){0};
    return parse_fail(p, "Missing or broken tag");
}

static enum command_id
find(struct str name)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_ieq(name, str_from(rows[i].name)))
            return (enum command_id)(i + 1);
    return COMMAND_NONE;
}

static bool
parse_name(struct parser *p, struct command *c)
{
    struct str name, behind;
    const char *start = p->rest.p;

    if (!parse_atom(p, &name))
        return false;
    if (str_ieq(name, S("UID"))) {
        if (!parse_space(p) || !parse_atom(p, &behind))
            return false;
        name = (struct str){start, (size_t)(behind.p + behind.len - start)};
        c->uid = true;
    }
    c->id = find(name);
    return c->id != COMMAND_NONE || parse_fail(p, "Unknown command");
}

static bool
parse(struct parser *p, struct command *c)
{
    if (!parse_tag(p, &c->tag))
        return false;
    if (!parse_skip(p, ' '))
        return parse_fail(p, "Missing command");
    if (!parse_name(p, c))
        return false;
    return row_of(c->id)->arguments(p, c) && parse_end(p);
}

enum command_id
command_look(const struct command_text *text, struct str *tag)
{
    struct parser p = {.start = text->text.p, .rest = text->text};
    struct command c = {0};
    bool named =
        parse_tag(&p, &c.tag) && parse_skip(&p, ' ') && parse_name(&p, &c);

    *tag = c.tag;
    return named ? c.id : COMMAND_NONE;
}

enum parsed
command_parse(struct arena *a, const struct command_text *text,
              struct command *c, const char **error)
{
    struct parser p = {.arena = a,
                       .start = text->text.p,
                       .rest = text->text,
                       .literals = text->literals,
                       .count = text->count};

    *c = (struct command){0};
    *error = NULL;

    bool ok = parse(&p, c);

    if (p.wants)
        return PARSED_WANTS;
    if (p.message)
        return PARSED_MESSAGE;
    if (ok)
        return PARSED;
    *error = p.error;
    return PARSED_BAD;
}
