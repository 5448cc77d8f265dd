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

/* Text without LF; each CR in it is bare. */
static char *
put_line(struct stuff *s, struct str text, char *out)
{
    for (ssize_t cr; (cr = str_find(text, '\r')) >= 0;) {
        out = put_text(s, str_sub(text, 0, (size_t)cr), out);
        out = put_text(s, S(" "), out);
        text = str_sub(text, (size_t)cr + 1, text.len);
    }
    return put_text(s, text, out);
}

size_t
stuff_put(struct stuff *s, struct str in, char *out)
{
    char *start = out;

    while (in.len > 0) {
        if (s->held_cr && in.p[0] != '\n')
            out = put_text(s, S(" "), out);
        s->held_cr = false;

        ssize_t lf = str_find(in, '\n');
        struct str line = str_sub(in, 0, lf < 0 ? in.len : (size_t)lf);

        in = str_sub(in, line.len + 1, in.len);
        if (line.len > 0 && line.p[line.len - 1] == '\r') {
            line.len--;
            s->held_cr = lf < 0;
        }
        out = put_line(s, line, out);
        if (lf >= 0) {
            out = add(out, S("\r\n"));
            s->column = 0;
        }
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
