#include "json.h"

#include "base/buf.h"
#include "base/utf8.h"

#define DEPTH_MAX 32

struct reader {
    struct arena *arena;
    struct str rest;
    unsigned depth;
};

static bool value(struct reader *r, enum json_type *type, struct str *text);

static void
skip_space(struct reader *r)
{
    while (r->rest.len && is_space(r->rest.p[0]))
        r->rest = str_sub(r->rest, 1, r->rest.len);
}

static bool
take(struct reader *r, char c)
{
    skip_space(r);
    if (r->rest.len == 0 || r->rest.p[0] != c)
        return false;
    r->rest = str_sub(r->rest, 1, r->rest.len);
    return true;
}

/* Four hexadecimal digits. */
static bool
unit(struct reader *r, uint64_t *code)
{
    struct str digits = str_sub(r->rest, 0, 4);

    r->rest = str_sub(r->rest, 4, r->rest.len);
    return digits.len == 4 && str_hex(digits, code);
}

static void
add_utf8(struct buf *b, uint64_t c)
{
    if (c < 0x80) {
        buf_addc(b, (char)c);
        return;
    }
    if (c < 0x800) {
        buf_addc(b, (char)(0xc0 | c >> 6));
    } else {
        if (c < 0x10000) {
            buf_addc(b, (char)(0xe0 | c >> 12));
        } else {
            buf_addc(b, (char)(0xf0 | c >> 18));
            buf_addc(b, (char)(0x80 | (c >> 12 & 0x3f)));
        }
        buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
    }
    buf_addc(b, (char)(0x80 | (c & 0x3f)));
}

/* \uXXXX, or two of them for what is beyond the first 65536. */
static bool
code_point(struct reader *r, struct buf *b)
{
    uint64_t high, low;

    if (!unit(r, &high))
        return false;
    if (high >= 0xd800 && high < 0xdc00) {
        if (!str_skip(&r->rest, S("\\u")) || !unit(r, &low) || low < 0xdc00 ||
            low > 0xdfff)
            return false;
        high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    } else if (high >= 0xdc00 && high < 0xe000) {
        return false;
    }
    add_utf8(b, high);
    return true;
}

static bool
escape(struct reader *r, struct buf *b)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c;
    const char *at;

    if (r->rest.len == 0)
        return false;
    c = r->rest.p[0];
    r->rest = str_sub(r->rest, 1, r->rest.len);
    if (c == 'u')
        return code_point(r, b);
    at = c ? strchr(from, c) : NULL;
    if (at == NULL)
        return false;
    buf_addc(b, to[at - from]);
    return true;
}

static bool
string(struct reader *r, struct str *text)
{
    struct buf b = buf_in(r->arena);

    if (!take(r, '"'))
        return false;
    while (r->rest.len) {
        char c = r->rest.p[0];

        r->rest = str_sub(r->rest, 1, r->rest.len);
        if (c == '"') {
            *text = buf_str(&b);
            return true;
        }
        if ((unsigned char)c < ' ' || (c == '\\' && !escape(r, &b)))
            return false;
        if (c != '\\')
            buf_addc(&b, c);
    }
    return false;
}

static bool
elements(struct reader *r)
{
    struct str text;
    enum json_type type;

    if (take(r, ']'))
        return true;
    do
        if (!value(r, &type, &text))
            return false;
    while (take(r, ','));
    return take(r, ']');
}

/* With a name: the first member of that name. */
static bool
members(struct reader *r, const char *name, enum json_type *type,
        struct str *text)
{
    struct str key, other;
    enum json_type kind;

    *type = JSON_NONE;
    if (take(r, '}'))
        return true;
    do {
        if (!string(r, &key) || !take(r, ':') || !value(r, &kind, &other))
            return false;
        if (name && *type == JSON_NONE && str_eq(key, str_from(name))) {
            *type = kind;
            *text = other;
        }
    } while (take(r, ','));
    return take(r, '}');
}

static bool
word(struct reader *r, enum json_type *type, struct str *text)
{
    size_t n = 0;

    while (n < r->rest.len && (is_alnum(r->rest.p[n]) || r->rest.p[n] == '-' ||
                               r->rest.p[n] == '+' || r->rest.p[n] == '.'))
        n++;
    *text = str_sub(r->rest, 0, n);
    r->rest = str_sub(r->rest, n, r->rest.len);
    *type = JSON_WORD;
    if (str_eq(*text, S("true")) || str_eq(*text, S("false")) ||
        str_eq(*text, S("null")))
        return true;
    *type = JSON_NUMBER;
    return n > 0 && (text->p[0] == '-' || is_digit(text->p[0]));
}

static bool
compound(struct reader *r, bool object)
{
    enum json_type type;
    struct str text;
    bool good;

    if (++r->depth > DEPTH_MAX)
        return false;
    good = object ? members(r, NULL, &type, &text) : elements(r);
    r->depth--;
    return good;
}

static bool
value(struct reader *r, enum json_type *type, struct str *text)
{
    skip_space(r);
    *text = S("");
    *type = JSON_OTHER;
    if (r->rest.len == 0)
        return false;
    switch (r->rest.p[0]) {
    case '"':
        *type = JSON_STRING;
        return string(r, text);
    case '{':
        return take(r, '{') && compound(r, true);
    case '[':
        return take(r, '[') && compound(r, false);
    default:
        return word(r, type, text);
    }
}

enum json_type
json_member(struct arena *a, struct str text, const char *name,
            struct str *value_text)
{
    struct reader r = {.arena = a, .rest = text};
    enum json_type type;

    *value_text = S("");
    if (!take(&r, '{') || !members(&r, name, &type, value_text))
        return JSON_NONE;
    skip_space(&r);
    return r.rest.len == 0 ? type : JSON_NONE;
}
