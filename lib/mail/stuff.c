#include "mail/stuff.h"

void
stuff_begin(struct stuff *s, size_t limit, bool counted)
{
    *s = (struct stuff){.limit = limit, .counted = counted};
}

size_t
stuff_room(const struct stuff *s, size_t len)
{
    size_t breaks = s->limit > 1 ? len / (s->limit - 1) + 1 : len;

    return 2 * len + 3 * breaks + 4;
}

/* The end where there is none. */
static const char *
find(const char *p, char c, const char *end)
{
    const char *at = p < end ? memchr(p, c, (size_t)(end - p)) : NULL;

    return at ? at : end;
}

static char *
add(char *out, struct str s)
{
    memcpy(out, s.p, s.len);
    return out + s.len;
}

/* Part of a line, broken where it grows over the limit. */
static char *
put_text(struct stuff *s, struct str text, char *out)
{
    if (text.len == 0)
        return out;
    if (s->column == 0 && text.p[0] == '.' && !s->counted)
        *out++ = '.';
    while (s->limit > 1 && text.len > s->limit - s->column) {
        size_t room = s->limit - s->column;

        out = add(out, str_sub(text, 0, room));
        out = add(out, S("\r\n "));
        text = str_sub(text, room, text.len);
        s->column = 1;
    }
    s->column += text.len;
    return add(out, text);
}

/* Text without LF; each CR in it is bare. *cr is the first one from text on, in
 * the text or behind it, so that lines without any are not looked through. */
static char *
put_line(struct stuff *s, struct str text, const char **cr, const char *end,
         char *out)
{
    while (*cr < text.p + text.len) {
        size_t before = (size_t)(*cr - text.p);

        out = put_text(s, str_sub(text, 0, before), out);
        out = put_text(s, S(" "), out);
        text = str_sub(text, before + 1, text.len);
        *cr = find(text.p, '\r', end);
    }
    return put_text(s, text, out);
}

size_t
stuff_put(struct stuff *s, struct str in, char *out)
{
    const char *p = in.p, *end = in.p + in.len, *cr = find(p, '\r', end);
    char *start = out;

    while (p < end) {
        if (s->held_cr && *p != '\n')
            out = put_text(s, S(" "), out);
        s->held_cr = false;

        const char *lf = find(p, '\n', end);
        struct str line = {p, (size_t)(lf - p)};

        if (line.len > 0 && lf[-1] == '\r') {
            line.len--;
            s->held_cr = lf == end;
        }
        out = put_line(s, line, &cr, end, out);
        if (lf < end) {
            out = add(out, S("\r\n"));
            s->column = 0;
        }
        p = lf + (lf < end);
        if (cr < p)
            cr = find(p, '\r', end);
    }
    return (size_t)(out - start);
}

size_t
stuff_end(struct stuff *s, char *out)
{
    char *start = out;

    if (s->held_cr || s->column > 0)
        out = add(out, S("\r\n"));
    if (!s->counted)
        out = add(out, S(".\r\n"));
    stuff_begin(s, s->limit, s->counted);
    return (size_t)(out - start);
}
