#include "parser.h"

#include "base/utf8.h"
#include "mail/imap_text.h"

bool
parse_fail(struct parser *p, const char *error)
{
    if (p->error == NULL)
        p->error = error;
    return false;
}

/* Arrays have room for 4, 8, 16 ... elements. */
void *
parse_room(struct parser *p, void *array, size_t count, size_t size)
{
    if (count == 0)
        return arena_alloc(p->arena, 4 * size);
    if (count < 4 || (count & (count - 1)) != 0)
        return array;
    return arena_grow(p->arena, array, count * size, 2 * count * size);
}

bool
parse_at(const struct parser *p, char c)
{
    return p->rest.len > 0 && p->rest.p[0] == c;
}

bool
parse_skip(struct parser *p, char c)
{
    if (!parse_at(p, c))
        return false;
    p->rest = str_sub(p->rest, 1, p->rest.len);
    return true;
}

bool
parse_space(struct parser *p)
{
    return parse_skip(p, ' ') ||
           parse_fail(p, p->rest.len ? "Expected a blank" : "Missing argument");
}

/* Blanks at the end are against the grammar, and are sent. */
bool
parse_end(struct parser *p)
{
    while (parse_skip(p, ' '))
        ;
    return p->rest.len == 0 || parse_fail(p, "Unexpected text at the end");
}

bool
parse_open(struct parser *p)
{
    return parse_skip(p, '(') || parse_fail(p, "Expected \"(\"");
}

bool
parse_close(struct parser *p)
{
    return parse_skip(p, ')') || parse_fail(p, "Expected \")\"");
}

bool
parse_word(struct parser *p, const char *word)
{
    struct str w = str_from(word), rest = p->rest;

    if (!str_iskip(&rest, w) || (rest.len > 0 && imap_is_atom_char(rest.p[0]) &&
                                 !strchr("[]", rest.p[0])))
        return false;
    p->rest = rest;
    return true;
}

static bool
take(struct parser *p, size_t len, struct str *s)
{
    *s = str_sub(p->rest, 0, len);
    p->rest = str_sub(p->rest, len, p->rest.len);
    return true;
}

bool
parse_atom(struct parser *p, struct str *s)
{
    size_t i = 0;

    while (i < p->rest.len && imap_is_atom_char(p->rest.p[i]) &&
           p->rest.p[i] != ']')
        i++;
    if (i == 0)
        return parse_fail(p, "Expected a word");
    return take(p, i, s);
}

/* ---- strings ---- */

/* "..."; UTF-8 too, whatever is enabled: no other meaning is lost by that. */
static bool
parse_quoted(struct parser *p, struct str *s)
{
    struct buf b = buf_in(p->arena);
    size_t i = 1;
    bool plain = true;

    for (; i < p->rest.len && p->rest.p[i] != '"'; i++) {
        if (p->rest.p[i] == '\\') {
            if (plain)
                buf_add(&b, str_sub(p->rest, 1, i - 1));
            plain = false;
            i++;
            if (i == p->rest.len || !strchr("\"\\", p->rest.p[i]))
                return parse_fail(p, "Backslash before a byte that needs none");
        }
        if (strchr("\r\n", p->rest.p[i]))
            return parse_fail(p, "Line end in a quoted string");
        if (!plain)
            buf_addc(&b, p->rest.p[i]);
    }
    if (i >= p->rest.len)
        return parse_fail(p, "Quoted string without its end");
    *s = plain ? str_sub(p->rest, 1, i - 1) : buf_str(&b);
    if (!utf8_valid(*s))
        return parse_fail(p, "Quoted string with bytes that are no UTF-8");
    p->rest = str_sub(p->rest, i + 1, p->rest.len);
    return true;
}

/* The literal whose announcement comes next. */
static const struct literal *
find_literal(struct parser *p)
{
    const struct literal *l = p->literals;

    if (p->count == 0 || (size_t)(p->rest.p - p->start) != l->at)
        return NULL;

    ssize_t end = str_search(p->rest, S("\r\n"));

    p->literals++;
    p->count--;
    must(end >= 0);
    p->rest = str_sub(p->rest, (size_t)end + 2, p->rest.len);
    return l;
}

static bool
parse_literal(struct parser *p, bool binary, struct str *s)
{
    const struct literal *l = find_literal(p);

    if (l == NULL)
        return parse_fail(p, "Literal in the middle of a line");
    if (l->pending) {
        p->wants = !l->binary || binary;
        return parse_fail(p, "Literal with ~ where none may be");
    }
    if (l->streamed || (l->binary && !binary))
        return parse_fail(p, "Literal with ~ where none may be");
    *s = l->data;
    if (!l->binary && l->size > 0 && memchr(l->data.p, '\0', l->data.len))
        return parse_fail(p, "NUL in a literal");
    return true;
}

bool
parse_string(struct parser *p, struct str *s)
{
    if (parse_at(p, '"'))
        return parse_quoted(p, s);
    if (parse_at(p, '{') || parse_at(p, '~'))
        return parse_literal(p, false, s);
    return parse_fail(p, "Expected a string");
}

bool
parse_astring(struct parser *p, struct str *s)
{
    size_t i = 0;

    if (parse_at(p, '"') || parse_at(p, '{'))
        return parse_string(p, s);
    while (i < p->rest.len && imap_is_atom_char(p->rest.p[i]))
        i++;
    if (i == 0)
        return parse_fail(p, p->rest.len ? "Expected a word or string"
                                         : "Missing argument");
    return take(p, i, s);
}

bool
parse_nstring(struct parser *p, struct str *s)
{
    *s = (struct str){0};
    if (parse_word(p, "NIL"))
        return true;
    if (parse_at(p, '~'))
        return parse_literal(p, true, s);
    return parse_string(p, s) && (s->p || (*s = S(""), true));
}

/* list-mailbox: wildcards may stand there without quotes. */
bool
parse_pattern(struct parser *p, struct str *s)
{
    size_t i = 0;

    if (parse_at(p, '"') || parse_at(p, '{'))
        return parse_string(p, s);
    while (i < p->rest.len && (imap_is_atom_char(p->rest.p[i]) ||
                               p->rest.p[i] == '%' || p->rest.p[i] == '*'))
        i++;
    if (i == 0)
        return parse_fail(p, p->rest.len ? "Expected a mailbox pattern"
                                         : "Missing mailbox pattern");
    return take(p, i, s);
}

bool
parse_message(struct parser *p, const struct literal **l)
{
    *l = NULL;
    if (!parse_at(p, '{') && !parse_at(p, '~'))
        return parse_fail(p, "Expected a literal with the message");
    *l = find_literal(p);
    if (*l == NULL)
        return parse_fail(p, "Literal in the middle of a line");
    if ((*l)->pending) {
        p->message = true;
        return parse_fail(p, "The message has not come");
    }
    return true;
}

/* ---- numbers ---- */

bool
parse_number(struct parser *p, uint64_t max, uint64_t *n)
{
    struct str digits;
    size_t i = 0;

    while (i < p->rest.len && is_digit(p->rest.p[i]))
        i++;
    take(p, i, &digits);
    if (i == 0)
        return parse_fail(p, "Expected a number");
    if (!str_num(digits, n) || *n > max)
        return parse_fail(p, "Number is too large");
    return true;
}

bool
parse_nonzero(struct parser *p, uint32_t *n)
{
    uint64_t value;

    if (!parse_number(p, UINT32_MAX, &value))
        return false;
    *n = (uint32_t)value;
    return value > 0 || parse_fail(p, "Number must not be 0");
}

/* ---- lists ---- */

bool
parse_names(struct parser *p, struct strings *names)
{
    struct str name;

    *names = (struct strings){0};
    if (!parse_skip(p, '(')) {
        if (!parse_astring(p, &name))
            return false;
        *PARSE_ADD(p, names->at, names->count) = name;
        return true;
    }
    do {
        if (names->count == PARSE_ITEMS_MAX)
            return parse_fail(p, "Too many names");
        if (!parse_astring(p, &name))
            return false;
        *PARSE_ADD(p, names->at, names->count) = name;
    } while (parse_skip(p, ' '));
    return parse_close(p);
}

bool
parse_flag(struct parser *p, struct flags *f)
{
    static const struct {
        const char *name;
        unsigned flag;
    } known[] = {
        {"\\Answered", FLAG_ANSWERED},
        {"\\Flagged",  FLAG_FLAGGED },
        {"\\Deleted",  FLAG_DELETED },
        {"\\Seen",     FLAG_SEEN    },
        {"\\Draft",    FLAG_DRAFT   },
    };
    struct str keyword;

    for (size_t i = 0; i < COUNT(known); i++)
        if (parse_word(p, known[i].name)) {
            f->system |= known[i].flag;
            return true;
        }
    if (parse_at(p, '\\'))
        return parse_fail(p, "Unknown system flag");
    if (f->count == PARSE_ITEMS_MAX)
        return parse_fail(p, "Too many keywords");
    if (!parse_atom(p, &keyword))
        return false;
    *PARSE_ADD(p, f->keywords, f->count) = keyword;
    return true;
}

bool
parse_flags(struct parser *p, struct flags *f)
{
    *f = (struct flags){0};
    if (!parse_open(p))
        return false;
    if (parse_skip(p, ')'))
        return true;
    do
        if (!parse_flag(p, f))
            return false;
    while (parse_skip(p, ' '));
    return parse_close(p);
}
