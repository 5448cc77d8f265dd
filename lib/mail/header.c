#include "mail/header.h"

#define HEADER_NAME(id, text, flags)  S(text),
#define HEADER_FLAGS(id, text, flags) flags,

static const struct str names[] = {
    {"", 0},
    HEADER_FIELDS(HEADER_NAME)
};
static const unsigned meanings[] = {0, HEADER_FIELDS(HEADER_FLAGS)};

enum header_id
header_id(struct str name)
{
    for (size_t i = 1; i < COUNT(names); i++)
        if (str_ieq(name, names[i]))
            return (enum header_id)i;
    return HEADER_ID_OTHER;
}

unsigned
header_flags(enum header_id id)
{
    return meanings[id];
}

/* The length of the name with blanks behind it, up to the colon; -1 if the
 * line begins no field. */
static ssize_t
name_len(struct str line)
{
    size_t i = 0;

    while (i < line.len && line.p[i] > ' ' && line.p[i] < 127 &&
           line.p[i] != ':')
        i++;
    if (i == 0)
        return -1;
    while (i < line.len && is_blank(line.p[i]))
        i++;
    return i < line.len && line.p[i] == ':' ? (ssize_t)i : -1;
}

static size_t
line_len(struct str s)
{
    ssize_t lf = str_find(s, '\n');

    return lf < 0 ? s.len : (size_t)lf + 1;
}

/* Fill f from one whole field. */
static void
split_field(struct str whole, struct header_field *f)
{
    size_t colon = (size_t)name_len(whole);

    f->whole = whole;
    f->name = str_trim(str_sub(whole, 0, colon));
    f->body = str_sub(whole, colon + 1, whole.len);
    if (f->body.len > 0 && f->body.p[f->body.len - 1] == '\n')
        f->body.len--;
    if (f->body.len > 0 && f->body.p[f->body.len - 1] == '\r')
        f->body.len--;
    f->id = header_id(f->name);
    f->cut = false;
}

bool
header_next(struct str *rest, struct header_field *f)
{
    if (name_len(*rest) < 0)
        return false;

    size_t len = line_len(*rest);

    while (len < rest->len && is_blank(rest->p[len]))
        len += line_len(str_sub(*rest, len, rest->len));
    split_field(str_sub(*rest, 0, len), f);
    *rest = str_sub(*rest, len, rest->len);
    return true;
}

bool
header_scan(struct str *rest, struct header_field *f)
{
    while (rest->len > 0 && !str_starts(*rest, S("\n")) &&
           !str_starts(*rest, S("\r\n"))) {
        if (header_next(rest, f))
            return true;
        *rest = str_sub(*rest, line_len(*rest), rest->len);
    }
    return false;
}

bool
header_find(struct str header, struct str name, struct header_field *f)
{
    while (header_next(&header, f))
        if (str_ieq(f->name, name))
            return true;
    return false;
}

struct str
header_of(struct str message, struct str *body)
{
    struct str rest = message;
    struct header_field f;

    while (header_next(&rest, &f))
        ;

    struct str header = str_sub(message, 0, message.len - rest.len);

    if (!str_skip(&rest, S("\n")))
        str_skip(&rest, S("\r\n"));
    *body = rest;
    return header;
}

struct str
header_unfold(struct arena *a, struct str body)
{
    body = str_trim(body);
    if (str_find(body, '\n') < 0 && str_find(body, '\r') < 0)
        return body;

    struct buf b = buf_in(a);

    for (size_t i = 0; i < body.len; i++)
        if (body.p[i] != '\r' && body.p[i] != '\n')
            buf_addc(&b, body.p[i]);
    return buf_str(&b);
}

void
header_put(struct buf *b, const char *name, struct str value)
{
    struct str word;
    size_t column;
    bool first = true;

    buf_fmt(b, "%s:", name);
    column = strlen(name) + 1;
    while (str_word(&value, " \t\r\n", &word)) {
        bool fold = !first && column + 1 + word.len > 78;

        buf_add(b, fold ? S("\n    ") : S(" "));
        column = (fold ? 4 : column + 1) + word.len;
        for (size_t i = 0; i < word.len; i++) {
            bool control = (unsigned char)word.p[i] < 32 || word.p[i] == 127;

            buf_addc(b, control ? ' ' : word.p[i]);
        }
        first = false;
    }
    buf_addc(b, '\n');
}
