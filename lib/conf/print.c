/*
 * The shapes are Postfix's to the byte: scripts compare them.
 */
#include "conf/print.h"

enum {
    LINE_LIMIT = 80,
    INDENT = 4,
};

/* A line being written: how much of the last physical line is full. */
struct row {
    struct buf *out;
    size_t used;
    bool fold;
};

void
print_line(struct buf *out, struct str text, bool fold)
{
    struct str word;
    size_t used = 0;

    while (str_word(&text, " \t\r\n", &word)) {
        if (used > 0 && fold && used + word.len >= LINE_LIMIT) {
            buf_add(out, S("\n    "));
            used = INDENT;
        } else if (used > 0) {
            buf_addc(out, ' ');
            used++;
        }
        buf_add(out, word);
        used += word.len;
    }
    buf_addc(out, '\n');
}

static void
put(struct row *r, struct str text)
{
    buf_add(r->out, text);
    r->used += text.len;
}

/* What parts an item of that length from the one before. */
static void
put_gap(struct row *r, size_t len)
{
    if (r->used <= INDENT)
        return;
    if (!r->fold || r->used + 1 + len < LINE_LIMIT) {
        put(r, S(" "));
        return;
    }
    buf_add(r->out, S("\n    "));
    r->used = INDENT;
}

static bool
has_blank(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (is_space(s.p[i]))
            return true;
    return s.len == 0;
}

static void
put_enclosed(struct row *r, struct str text)
{
    bool braces = has_blank(text);

    put(r, braces ? S("{") : S(""));
    put(r, text);
    put(r, braces ? S("}") : S(""));
}

size_t
print_options(const struct service *s)
{
    size_t i = 0;

    while (i < s->word_count && s->words[i].len > 1 &&
           s->words[i].p[0] == '-' && !str_eq(s->words[i], S("--")))
        i += str_eq(s->words[i], S("-o")) ? 2 : 1;
    return i < s->word_count ? i : s->word_count;
}

/* An -o with its value has a line of its own. */
static void
put_override(struct row *r, const struct service *s, struct str text,
             const struct print_values *values)
{
    if (values)
        text = values->value(values->self, s, text);
    r->used = LINE_LIMIT;
    put_gap(r, text.len);
    put(r, S("-o "));
    put_enclosed(r, text);
    r->used = LINE_LIMIT;
}

static void
put_words(struct row *r, const struct service *s,
          const struct print_values *values)
{
    size_t options = print_options(s);

    for (size_t i = 0; i < s->word_count; i++) {
        struct str word = s->words[i];

        if (i < options && str_eq(word, S("-o"))) {
            put_override(r, s, s->words[++i], values);
            continue;
        }
        put_gap(r, word.len + (i >= options && has_blank(word) ? 2 : 0));
        if (i < options)
            put(r, word);
        else
            put_enclosed(r, word);
    }
}

void
print_service(struct buf *out, const struct service *s, bool fold,
              const struct print_values *values)
{
    static const size_t goals[COLUMN_COUNT] = {0, 11, 17, 25, 33, 41, 49, 57};
    struct row r = {.out = out, .fold = fold};

    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (i > 0)
            put(&r, S(" "));
        while (r.used < goals[i])
            put(&r, S(" "));
        put(&r, s->columns[i]);
    }
    put_words(&r, s, values);
    buf_addc(out, '\n');
}

void
print_field(struct buf *out, const struct service *s,
            enum service_column column, bool named, bool fold,
            const struct print_values *values)
{
    struct row r = {.out = out, .fold = fold};

    if (named) {
        put(&r, s->columns[COLUMN_NAME]);
        put(&r, S("/"));
        put(&r, s->columns[COLUMN_TYPE]);
        put(&r, S("/"));
        put(&r, str_from(service_columns[column]));
        put(&r, S(" = "));
        if (r.used + s->columns[column].len > LINE_LIMIT)
            put_gap(&r, LINE_LIMIT);
    }
    put(&r, s->columns[column]);
    if (column == COLUMN_COMMAND)
        put_words(&r, s, values);
    buf_addc(out, '\n');
}
