#include "mail/mime.h"

#include "mail/charset.h"

/* Step over blanks, line ends and comments. */
static void
skip_space(struct str *s)
{
    size_t i = 0, depth = 0;

    for (; i < s->len; i++) {
        char c = s->p[i];

        if (c == '\\' && depth > 0)
            i++;
        else if (c == '(')
            depth++;
        else if (c == ')' && depth > 0)
            depth--;
        else if (depth == 0 && !is_space(c))
            break;
    }
    *s = str_sub(*s, i, s->len);
}

/* A token off the front; sloppy: it ends at a blank or one of `stops`. */
static struct str
take_token(struct str *s, const char *stops)
{
    size_t i = 0;

    while (i < s->len && !is_space(s->p[i]) && !strchr(stops, s->p[i]))
        i++;

    struct str token = str_sub(*s, 0, i);

    *s = str_sub(*s, i, s->len);
    return token;
}

/* With its quotes; one that is not closed goes on to the end. */
static struct str
take_quoted(struct str *s)
{
    size_t i = 1;

    while (i < s->len && s->p[i] != '"')
        i += s->p[i] == '\\' ? 2 : 1;

    struct str quoted = str_sub(*s, 0, i + 1);

    *s = str_sub(*s, i + 1, s->len);
    return quoted;
}

struct str
mime_first(struct str *rest)
{
    skip_space(rest);
    return take_token(rest, ";(");
}

bool
mime_next(struct str *rest, struct str *name, struct str *value)
{
    for (;;) {
        ssize_t semicolon = str_find(*rest, ';');

        if (semicolon < 0)
            return false;
        *rest = str_sub(*rest, (size_t)semicolon + 1, rest->len);
        skip_space(rest);
        *name = take_token(rest, "=;(");
        skip_space(rest);
        if (name->len == 0 || !str_skip(rest, S("=")))
            continue;
        skip_space(rest);
        *value = rest->len > 0 && rest->p[0] == '"' ? take_quoted(rest)
                                                    : take_token(rest, ";");
        return true;
    }
}

void
mime_unquote(struct buf *out, struct str value)
{
    if (value.len == 0 || value.p[0] != '"') {
        buf_add(out, value);
        return;
    }
    for (size_t i = 1; i < value.len && value.p[i] != '"'; i++) {
        if (value.p[i] == '\\' && i + 1 < value.len)
            i++;
        if (value.p[i] != '\r' && value.p[i] != '\n')
            buf_addc(out, value.p[i]);
    }
}

enum mime_encoding
mime_encoding(struct str body)
{
    static const struct {
        const char *name;
        enum mime_encoding encoding;
    } known[] = {
        {"",                 MIME_7BIT  },
        {"7bit",             MIME_7BIT  },
        {"8bit",             MIME_8BIT  },
        {"binary",           MIME_BINARY},
        {"quoted-printable", MIME_QP    },
        {"base64",           MIME_BASE64},
    };
    struct str name = mime_first(&body);

    for (size_t i = 0; i < COUNT(known); i++)
        if (str_ieq(name, str_from(known[i].name)))
            return known[i].encoding;
    return MIME_ENCODING_OTHER;
}

/* A parameter of RFC 2231 in the making: its sections as they came. */
struct section {
    struct str name; /* without "*0*" */
    uint64_t number;
    bool extended; /* charset'language'%41 */
    struct str value;
};

/* "name", "name*", "name*1", "name*1*" */
static struct section
split_name(struct arena *a, struct str name, struct str value)
{
    struct section s = {.value = value};
    struct str number;

    if (name.len > 0 && name.p[name.len - 1] == '*') {
        s.extended = true;
        name.len--;
    }
    if (str_cut(&name, '*', &s.name)) {
        number = name;
        if (!str_num(number, &s.number) || s.number > 999)
            s.number = 0;
    }
    s.name = arena_lower(a, s.name);
    return s;
}

static void
put_percent(struct buf *out, struct str s)
{
    uint64_t byte;

    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '%' && s.len - i > 2 &&
            str_hex(str_sub(s, i + 1, 2), &byte)) {
            buf_addc(out, (char)byte);
            i += 2;
        } else {
            buf_addc(out, s.p[i]);
        }
    }
}

/* All sections of one name, in the order of their numbers, as UTF-8. */
static struct str
join(struct arena *a, const struct section *sections, size_t count,
     struct str name)
{
    struct buf bytes = buf_in(a), out = buf_in(a);
    struct str charset = {0};

    for (uint64_t number = 0; number < count; number++) {
        const struct section *s = NULL;

        for (size_t i = 0; i < count && s == NULL; i++)
            if (sections[i].number == number && str_eq(sections[i].name, name))
                s = &sections[i];
        if (s == NULL)
            break;

        struct str value = s->value;

        if (s->extended && number == 0 && str_cut(&value, '\'', &charset))
            str_cut(&value, '\'', NULL);
        else if (s->extended && number == 0)
            value = s->value;
        if (s->extended)
            put_percent(&bytes, value);
        else
            buf_add(&bytes, value);
    }
    if (charset.len > 0 && charset_to_utf8(&out, charset, buf_str(&bytes)))
        return buf_str(&out);
    return buf_str(&bytes);
}

static bool
has_param(const struct mime_value *v, struct str name)
{
    for (size_t i = 0; i < v->count; i++)
        if (str_eq(v->params[i].name, name))
            return true;
    return false;
}

bool
mime_parse(struct arena *a, struct str body, struct mime_value *v)
{
    struct section *sections =
        arena_alloc(a, MIME_PARAMS_MAX * sizeof *sections);
    struct str name, value, type = mime_first(&body);
    size_t count = 0;

    *v = (struct mime_value){0};
    if (str_cut(&type, '/', &v->type))
        v->subtype = arena_lower(a, type);
    v->type = arena_lower(a, v->type);
    while (count < MIME_PARAMS_MAX && mime_next(&body, &name, &value)) {
        struct buf plain = buf_in(a);

        mime_unquote(&plain, value);
        sections[count++] = split_name(a, name, buf_str(&plain));
    }
    v->params = arena_alloc(a, (count + 1) * sizeof *v->params);
    for (size_t i = 0; i < count; i++) {
        if (has_param(v, sections[i].name))
            continue;
        v->params[v->count++] = (struct mime_param){
            sections[i].name, join(a, sections, count, sections[i].name)};
    }
    return v->type.len > 0;
}

struct str
mime_param(const struct mime_value *v, struct str name)
{
    for (size_t i = 0; i < v->count; i++)
        if (str_eq(v->params[i].name, name))
            return v->params[i].value;
    return (struct str){0};
}
