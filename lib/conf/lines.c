#include "conf/lines.h"

#include "base/buf.h"

static bool
is_nothing(struct str s)
{
    struct str text = str_trim(s);

    return text.len == 0 || text.p[0] == '#';
}

/* The next physical line that says something, not taken yet. */
static bool
peek(struct lines *l, struct str *text)
{
    while (l->rest.len > 0) {
        struct str after = l->rest;

        str_cut(&after, '\n', text);
        if (!is_nothing(*text))
            return true;
        l->rest = after;
        l->count++;
    }
    return false;
}

static void
take(struct lines *l)
{
    str_cut(&l->rest, '\n', NULL);
    l->count++;
}

bool
lines_next(struct lines *l, struct arena *a, struct line *line)
{
    struct buf joined = buf_in(a);
    struct str more;

    if (!peek(l, &line->text))
        return false;
    take(l);
    line->number = l->count;
    while (peek(l, &more) && is_space(more.p[0])) {
        if (joined.len == 0)
            buf_add(&joined, line->text);
        buf_add(&joined, more);
        take(l);
    }
    if (joined.len > 0)
        line->text = buf_str(&joined);
    return true;
}
