#include "conf/services.h"

#include <stdarg.h>
#include <stdio.h>

#include "conf/lines.h"

static const struct {
    struct str text;
    enum service_type type;
} types[] = {
    {S("inet"),       SERVICE_INET },
    {S("unix"),       SERVICE_UNIX },
    {S("fifo"),       SERVICE_FIFO },
    {S("pass"),       SERVICE_PASS },
    {S("unix-dgram"), SERVICE_DGRAM},
};

/* What a column's text may be, for messages. */
static const char *const wanted[COLUMN_COUNT] = {
    [COLUMN_TYPE] = "inet, unix, fifo, pass or unix-dgram",
    [COLUMN_PRIVATE] = "y, n or -",
    [COLUMN_UNPRIVILEGED] = "y, n or -",
    [COLUMN_CHROOT] = "y, n or -",
    [COLUMN_WAKEUP] = "seconds (60, 60? or -)",
    [COLUMN_LIMIT] = "a number of processes or -",
    [COLUMN_COMMAND] = "a command",
};

const char *const service_columns[COLUMN_COUNT] = {
    "service", "type",   "private",       "unprivileged",
    "chroot",  "wakeup", "process_limit", "command",
};

struct parser {
    struct arena *life;
    const char *file;
    struct line line;
    struct why *why;
};

bool
service_type_of(struct str text, enum service_type *type)
{
    for (size_t i = 0; i < COUNT(types); i++)
        if (str_eq(types[i].text, text)) {
            *type = types[i].type;
            return true;
        }
    return false;
}

/* y, n, or the default for "-". */
static bool
flag_of(struct str text, bool *flag)
{
    if (str_eq(text, S("y")))
        *flag = true;
    else if (str_eq(text, S("n")))
        *flag = false;
    else
        return str_eq(text, S("-"));
    return true;
}

static bool
number_of(struct str text, int *number)
{
    uint64_t n;

    if (str_eq(text, S("-")))
        return true;
    if (!str_num(text, &n) || n > INT32_MAX)
        return false;
    *number = (int)n;
    return true;
}

static bool
wakeup_of(struct str text, struct service *s)
{
    if (text.len > 1 && text.p[text.len - 1] == '?') {
        s->wakeup_if_used = true;
        text.len--;
    }
    return number_of(text, &s->wakeup);
}

static bool
column_of(struct service *s, enum service_column column, struct str text)
{
    switch (column) {
    case COLUMN_TYPE:
        return service_type_of(text, &s->type);
    case COLUMN_PRIVATE:
        return flag_of(text, &s->private);
    case COLUMN_UNPRIVILEGED:
        return flag_of(text, &s->unprivileged);
    case COLUMN_CHROOT:
        return flag_of(text, &s->chroot);
    case COLUMN_WAKEUP:
        return wakeup_of(text, s);
    case COLUMN_LIMIT:
        return number_of(text, &s->limit);
    default:
        return true;
    }
}

/*
 * The next word, or all from a brace to its partner and what sticks to it.
 * False at the end; *whole tells whether every brace was closed.
 */
static bool
next_word(struct str *s, struct str *word, bool *whole)
{
    size_t i = 0, level = 0;

    while (s->len > 0 && is_space(*s->p))
        *s = str_sub(*s, 1, s->len);
    if (s->len == 0)
        return false;
    for (; i < s->len && (level > 0 || !is_space(s->p[i])); i++) {
        if (s->p[i] == '{')
            level++;
        if (s->p[i] == '}' && level > 0)
            level--;
    }
    *whole = level == 0;
    *word = str_sub(*s, 0, i);
    *s = str_sub(*s, i, s->len);
    return true;
}

/* fail, with the place in front where there is one. */
static enum rc bad_row(const struct parser *p, const char *fmt, ...)
    PRINTF(2, 3);

static enum rc
bad_row(const struct parser *p, const char *fmt, ...)
{
    char text[400];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (p->file == NULL)
        return fail(p->why, "5.3.5", "%s", text);
    return fail(p->why, "5.3.5", "%s, line %u: %s", p->file, p->line.number,
                text);
}

static enum rc
parse_columns(const struct parser *p, struct str *rest, struct service *s)
{
    for (unsigned i = 0; i < COLUMN_COUNT; i++) {
        struct str *column = &s->columns[i];

        if (!str_word(rest, " \t\r\n", column))
            return bad_row(p,
                           "no %s column; a row is: service type private "
                           "unprivileged chroot wakeup limit command",
                           service_columns[i]);
        *column = arena_str(p->life, *column);
        if (!column_of(s, (enum service_column)i, *column))
            return bad_row(p, "invalid %s field \"%.*s\"; it must be %s",
                           service_columns[i], STR(*column), wanted[i]);
    }
    return OK;
}

/* Without braces around it: what a process gets as its argument. */
static enum rc
plain_word(const struct parser *p, struct str word, struct str *plain)
{
    size_t level = 0;

    *plain = word;
    if (word.len == 0 || word.p[0] != '{')
        return OK;
    for (size_t i = 0; i < word.len; i++) {
        level += word.p[i] == '{';
        level -= word.p[i] == '}';
        if (level == 0 && i + 1 < word.len)
            return bad_row(p, "text behind the } of \"%.*s\"", STR(word));
    }
    *plain = str_trim(str_sub(word, 1, word.len - 2));
    return OK;
}

static void
add_word(const struct parser *p, struct service *s, struct str word)
{
    s->words[s->word_count++] = arena_str(p->life, word);
}

/* What follows -o: an override, and "name=value" as its canonical form. */
static enum rc
add_override(const struct parser *p, struct service *s, struct str text)
{
    struct setting *o = &s->overrides[s->override_count];
    const char *problem;

    if (!setting_cut(text, &o->name, &o->value, &problem))
        return bad_row(p, "-o %.*s: %s", STR(text), problem);
    o->name = arena_str(p->life, o->name);
    o->value = arena_str(p->life, o->value);
    o->file = p->file;
    o->line = p->line.number;
    s->override_count++;
    add_word(p, s, S("-o"));
    add_word(p, s,
             str_from(arena_fmt(p->life, "%s=%s", o->name.p, o->value.p)));
    return OK;
}

static void
add_arg(const struct parser *p, struct service *s, struct str word)
{
    add_word(p, s, word);
    s->args[s->arg_count++] = arena_cstr(p->life, word);
}

/* "-o..." or "-v" or "-vo...". */
static enum rc
parse_option(const struct parser *p, struct service *s, struct str word,
             struct str *rest)
{
    ssize_t o = str_find(word, 'o');
    bool whole;

    if (o < 0) {
        add_arg(p, s, word);
        return OK;
    }
    if (o > 1)
        add_arg(p, s, str_sub(word, 0, (size_t)o));
    word = str_trim(str_sub(word, (size_t)o + 1, word.len));
    if (word.len == 0 && !next_word(rest, &word, &whole))
        return bad_row(p, "-o without name=value");
    enum rc rc = plain_word(p, word, &word);

    return rc == OK ? add_override(p, s, word) : rc;
}

/* What follows the command: options first, then plain arguments. */
static enum rc
parse_words(const struct parser *p, struct str rest, struct service *s)
{
    struct str word, again = rest;
    bool whole = true, options = true;
    size_t most = 0;

    while (next_word(&again, &word, &whole))
        most += 3;
    if (!whole)
        return bad_row(p, "a { without its }");
    s->words = arena_alloc(p->life, most * sizeof *s->words);
    s->args = arena_alloc(p->life, (most + 1) * sizeof *s->args);
    s->overrides = arena_alloc(p->life, most * sizeof *s->overrides);
    while (next_word(&rest, &word, &whole)) {
        enum rc rc = plain_word(p, word, &word);

        options = options && word.len > 1 && word.p[0] == '-' &&
                  !str_eq(word, S("--"));
        if (rc == OK && options)
            rc = parse_option(p, s, word, &rest);
        else if (rc == OK)
            add_arg(p, s, word);
        if (rc != OK)
            return rc;
    }
    return OK;
}

static enum rc
parse_row(const struct parser *p, struct service *s)
{
    struct str rest = p->line.text;

    *s = (struct service){
        .private = true,
        .unprivileged = true,
        .limit = -1,
        .file = p->file,
        .line = p->line.number,
    };
    enum rc rc = parse_columns(p, &rest, s);

    if (rc == OK)
        rc = parse_words(p, rest, s);
    s->name = s->columns[COLUMN_NAME].p;
    s->command = s->columns[COLUMN_COMMAND].p;
    return rc;
}

enum rc
service_parse(struct arena *life, struct str row, const char *file,
              unsigned line, struct service *out, struct why *why)
{
    struct parser p = {
        life, file, {row, line},
          why
    };

    if (memchr(row.p, '\0', row.len))
        return bad_row(&p, "a NUL byte");
    return parse_row(&p, out);
}

enum rc
services_parse(struct arena *life, struct str text, const char *file,
               struct services *out, struct why *why)
{
    struct lines lines = {.rest = text};
    struct line line;
    size_t room = 0;

    *out = (struct services){0};
    while (lines_next(&lines, life, &line)) {
        if (out->count == room) {
            size_t more = room ? 2 * room : 32;

            out->at = arena_grow(life, out->at, room * sizeof *out->at,
                                 more * sizeof *out->at);
            room = more;
        }
        enum rc rc = service_parse(life, line.text, file, line.number,
                                   &out->at[out->count], why);

        if (rc != OK)
            return rc;
        out->count++;
    }
    return OK;
}

static struct service *
find_same(struct services *s, const struct service *as, size_t end)
{
    for (size_t i = 0; i < end; i++)
        if (s->at[i].type == as->type && strcmp(s->at[i].name, as->name) == 0)
            return &s->at[i];
    return NULL;
}

void
services_unique(struct services *s,
                void (*report)(void *own, const struct service *dropped,
                               const struct service *kept),
                void *own)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->count; i++) {
        struct service *first = find_same(s, &s->at[i], kept);

        if (first && report)
            report(own, first, &s->at[i]);
        if (first)
            *first = s->at[i];
        else
            s->at[kept++] = s->at[i];
    }
    s->count = kept;
}
