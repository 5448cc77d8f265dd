#include "conf/edit.h"
#include "conf/lines.h"
#include "conf/print.h"

struct job {
    struct arena *arena;
    const char *file;
    enum edit_part part;
    enum edit what;
    struct edit_master *edits;
    size_t count;
    struct why *why;
    struct buf out;
};

/* One row of the file with the lines it is made of. */
struct block {
    struct str lines;  /* from its first line to its last */
    struct str joined; /* as one logical line */
    unsigned number;
};

/* Comments between the lines of a row stay, in front of the new row. */
static void
put_nothing(struct buf *out, struct str lines)
{
    struct str line;

    while (lines.len > 0) {
        str_cut(&lines, '\n', &line);
        struct str text = str_trim(line);

        if (text.len == 0 || text.p[0] == '#')
            buf_fmt(out, "%.*s\n", STR(line));
    }
}

static void
put_commented(struct buf *out, struct str lines)
{
    struct str line;

    while (lines.len > 0) {
        str_cut(&lines, '\n', &line);
        struct str text = str_trim(line);
        bool nothing = text.len == 0 || text.p[0] == '#';

        buf_fmt(out, "%s%.*s\n", nothing ? "" : "#", STR(line));
    }
}

static void
put_service(struct job *j, const struct service *s)
{
    print_service(&j->out, s, true, NULL);
}

/* The words as text again. */
static void
add_words(struct buf *row, const struct service *s)
{
    for (size_t i = 0; i < s->word_count; i++)
        buf_fmt(row, " {%.*s}", STR(s->words[i]));
}

/* One column's new text; the row must still be one. */
static enum rc
set_field(struct job *j, struct service *s, const struct edit_master *e)
{
    struct buf row = buf_in(j->arena);

    for (unsigned i = 0; i < COLUMN_COUNT; i++)
        buf_fmt(&row, "%.*s ", STR(i == e->column ? e->value : s->columns[i]));
    if (e->column != COLUMN_COMMAND)
        add_words(&row, s);
    return service_parse(j->arena, buf_str(&row), NULL, 0, s, j->why);
}

static bool
sets_name(struct str word, struct str name)
{
    return str_skip(&word, name) && str_starts(word, S("="));
}

/* Set or remove one override among the words. */
static void
set_param(struct job *j, struct service *s, const struct edit_master *e)
{
    struct str *words =
        arena_alloc(j->arena, (s->word_count + 2) * sizeof *words);
    struct str setting = str_from(
        arena_fmt(j->arena, "%.*s=%.*s", STR(e->pattern.part), STR(e->value)));
    size_t options = print_options(s), n = 0;
    bool found = false;

    for (size_t i = 0; i <= s->word_count; i++) {
        bool last = i == options && !found && j->what == EDIT_SET;

        if (last) {
            words[n++] = S("-o");
            words[n++] = setting;
        }
        if (i == s->word_count)
            break;
        words[n++] = s->words[i];
        if (i >= options || !str_eq(s->words[i], S("-o")))
            continue;
        words[n++] = s->words[++i];
        if (!sets_name(s->words[i], e->pattern.part))
            continue;
        found = true;
        if (j->what == EDIT_SET)
            words[n - 1] = setting;
        else
            n -= 2;
    }
    s->words = words;
    s->word_count = n;
}

static enum rc
parse_value(struct job *j, const struct edit_master *e, struct service *s)
{
    return service_parse(j->arena, e->value, NULL, 0, s, j->why);
}

/*
 * A whole row is replaced where it matches the pattern, or is of the name and
 * type that the new one has; the first such row becomes the new one, any
 * other goes.
 */
static enum rc
edit_row(struct job *j, const struct block *b, struct str name, struct str type,
         bool *matched, struct service *new, bool *has_new)
{
    for (size_t i = 0; i < j->count; i++) {
        struct edit_master *e = &j->edits[i];
        struct service s = {0};
        bool hit = pattern_matches(&e->pattern, name, type);

        if (j->part == EDIT_SERVICE && j->what == EDIT_SET) {
            if (parse_value(j, e, &s) != OK)
                return rc_of(j->why->dsn);
            hit = hit || (str_eq(s.columns[COLUMN_NAME], name) &&
                          str_eq(s.columns[COLUMN_TYPE], type));
        }
        if (!hit)
            continue;
        *matched = true;
        e->found++;
        if (j->part == EDIT_SERVICE) {
            if (j->what == EDIT_SET && e->found == 1) {
                *new = s;
                *has_new = true;
            }
            continue;
        }
        if (!*has_new && service_parse(j->arena, b->joined, j->file, b->number,
                                       new, j->why) != OK)
            return rc_of(j->why->dsn);
        *has_new = true;
        if (j->part == EDIT_PARAM)
            set_param(j, new, e);
        else if (set_field(j, new, e) != OK)
            return rc_of(j->why->dsn);
    }
    return OK;
}

static enum rc
edit_block(struct job *j, const struct block *b)
{
    struct str rest = b->joined, name = S(""), type = S("");
    struct service new = {0};
    bool matched = false, has_new = false;

    (void)str_word(&rest, " \t\r\n", &name);
    if (!str_word(&rest, " \t\r\n", &type))
        return fail(j->why, "5.3.5",
                    "%s, line %u: specify service name and type", j->file,
                    b->number);
    enum rc rc = edit_row(j, b, name, type, &matched, &new, &has_new);

    if (rc != OK)
        return rc;
    if (!matched) {
        buf_add(&j->out, b->lines);
        if (!str_ends(b->lines, S("\n")))
            buf_addc(&j->out, '\n');
        return OK;
    }
    if (j->what == EDIT_COMMENT) {
        put_commented(&j->out, b->lines);
        return OK;
    }
    put_nothing(&j->out, b->lines);
    if (has_new)
        put_service(j, &new);
    return OK;
}

/* Offset of the next line that starts a row, from `at` on. */
static size_t
next_row(struct str text, size_t at, unsigned *line)
{
    while (at < text.len) {
        struct str rest = str_sub(text, at, text.len), one;

        str_cut(&rest, '\n', &one);
        struct str trimmed = str_trim(one);

        if (trimmed.len > 0 && trimmed.p[0] != '#' && !is_space(one.p[0]))
            break;
        at = text.len - rest.len;
        ++*line;
    }
    return at;
}

/* Where the last line of the row before `end` that says something ends. */
static size_t
last_line(struct str text, size_t from, size_t end)
{
    size_t last = from, at = from;

    while (at < end) {
        struct str rest = str_sub(text, at, end - at), one;

        str_cut(&rest, '\n', &one);
        struct str trimmed = str_trim(one);

        at = end - rest.len;
        if (trimmed.len > 0 && trimmed.p[0] != '#')
            last = at;
    }
    return last;
}

static enum rc
append_missing(struct job *j)
{
    for (size_t i = 0; i < j->count; i++) {
        struct service s;

        if (j->edits[i].found > 0)
            continue;
        if (parse_value(j, &j->edits[i], &s) != OK)
            return rc_of(j->why->dsn);
        put_service(j, &s);
    }
    return OK;
}

enum rc
edit_master(struct arena *a, struct str text, const char *file,
            enum edit_part part, enum edit what, struct edit_master *edits,
            size_t count, struct str *out, struct why *why)
{
    struct job j = {a, file, part, what, edits, count, why, buf_in(a)};
    unsigned line = 1;
    size_t at = next_row(text, 0, &line);

    buf_add(&j.out, str_sub(text, 0, at));
    while (at < text.len) {
        struct block b = {.number = line};
        struct str after = str_sub(text, at, text.len);
        unsigned skipped = 1;

        /* Behind the first line of this row the next row is searched. */
        str_cut(&after, '\n', NULL);
        size_t next = next_row(text, text.len - after.len, &skipped);
        size_t end = last_line(text, at, next);
        struct lines cursor = {.rest = str_sub(text, at, end - at)};
        struct line joined;

        b.lines = cursor.rest;
        must(lines_next(&cursor, a, &joined));
        b.joined = joined.text;
        enum rc rc = edit_block(&j, &b);

        if (rc != OK)
            return rc;
        buf_add(&j.out, str_sub(text, end, next - end));
        at = next;
        line += skipped;
    }
    if (part == EDIT_SERVICE && what == EDIT_SET && append_missing(&j) != OK)
        return rc_of(why->dsn);
    *out = buf_str(&j.out);
    return OK;
}
