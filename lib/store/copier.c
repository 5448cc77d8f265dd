#include "store/copier.h"

#include <errno.h>

#include "sys/disk.h"

#define PIECE 65536

/* What one line can grow by: a byte in front and its end. */
#define GROWTH (1 + COPIER_EOL_MAX)

struct copier {
    struct copier_style style;
    int fd;
    off_t at, to;
    bool plain;     /* nothing changes */
    bool inside;    /* in the middle of a line */
    char in[PIECE]; /* in[pos..len) is not copied yet */
    char out[2 * PIECE];
    size_t pos, len, used;
};

struct copier *
copier_new(struct arena *a, const struct store_message *m,
           const struct copier_style *style)
{
    struct copier *c = arena_make(a, struct copier);

    must(style->eol.len <= COPIER_EOL_MAX);
    c->style = *style;
    if (c->style.eol.len == 0)
        c->style.eol = S("\n");
    c->plain = !style->quote_from && !style->stuff_dots && !style->end_line &&
               str_eq(c->style.eol, S("\n"));
    c->fd = m->fd;
    c->at = m->from;
    c->to = m->to;
    return c;
}

/* Fill up `in`. */
static bool
fill(struct copier *c)
{
    memmove(c->in, c->in + c->pos, c->len - c->pos);
    c->len -= c->pos;
    c->pos = 0;

    size_t want = PIECE - c->len;

    if ((off_t)want > c->to - c->at)
        want = (size_t)(c->to - c->at);
    ssize_t n = disk_read(c->fd, c->in + c->len, want, c->at);

    if (n == (ssize_t)want) {
        c->len += want;
        c->at += n;
        return true;
    }
    if (n >= 0)
        errno = EIO; /* the file is shorter than it was said to be */
    return false;
}

static void
add(struct copier *c, struct str s)
{
    if (s.len)
        memcpy(c->out + c->used, s.p, s.len);
    c->used += s.len;
}

/* Copy one line, or what is there of a very long one. */
static void
copy_line(struct copier *c, struct str line, bool whole)
{
    if (!c->inside && c->style.quote_from && str_starts(line, S("From ")))
        add(c, S(">"));
    if (!c->inside && c->style.stuff_dots && str_starts(line, S(".")))
        add(c, S("."));
    add(c, line);
    if (whole)
        add(c, c->style.eol);
    c->inside = !whole;
}

/* Copy lines of `in` while there is room for them. False: `in` needs more. */
static bool
copy_lines(struct copier *c)
{
    while (c->pos < c->len) {
        struct str rest = {c->in + c->pos, c->len - c->pos}, line = rest;
        ssize_t end = str_find(rest, '\n');

        if (end < 0 && c->at < c->to && rest.len < PIECE)
            return false;
        if (end >= 0)
            line.len = (size_t)end;
        if (c->used + line.len + GROWTH > sizeof c->out)
            return true;
        copy_line(c, line, end >= 0);
        c->pos += line.len + (end >= 0);
    }
    return c->at == c->to;
}

bool
copier_next(struct copier *c, struct str *bytes)
{
    c->used = 0;
    *bytes = (struct str){0};
    if (c->plain) {
        c->pos = c->len;
        if (!fill(c))
            return false;
        *bytes = (struct str){c->in, c->len};
        return true;
    }
    while (c->used == 0 && (c->pos < c->len || c->at < c->to))
        if (!copy_lines(c) && !fill(c))
            return false;
    if (c->used == 0 && c->inside && c->style.end_line)
        copy_line(c, S(""), true);
    *bytes = (struct str){c->out, c->used};
    return true;
}
