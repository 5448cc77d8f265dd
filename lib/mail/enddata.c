#include "mail/enddata.h"

#include "base/utf8.h"

/* Where the scanner stands. A dot and a CR that may belong to an end are held
 * back until the next byte tells. */
enum {
    AT_START,  /* of a line */
    AT_DOT,    /* held: the dot at the start of a line */
    AT_DOT_CR, /* held: that dot and a CR */
    AT_TEXT,
    AT_CR, /* held: a CR */
};

struct out {
    char *p;
};

static void
put(struct out *o, struct str s)
{
    if (s.len)
        memcpy(o->p, s.p, s.len);
    o->p += s.len;
}

void
enddata_begin(struct enddata *d, unsigned flags)
{
    *d = (struct enddata){.flags = flags, .at = AT_START, .after_crlf = true};
}

static void
end_line(struct enddata *d, struct out *o, bool crlf)
{
    put(o, S("\n"));
    if (d->column > d->longest)
        d->longest = d->column;
    d->column = 0;
    d->bare_lf += !crlf;
    d->after_crlf = crlf;
    d->at = AT_START;
}

static void
put_bare_cr(struct enddata *d, struct out *o)
{
    put(o, d->flags & ENDDATA_KEEP_CR ? S("\r") : S(" "));
    d->bare_cr++;
    d->column++;
    d->at = AT_TEXT;
}

/* A line of nothing but a dot: the end, or content that only looks like it. */
static void
lone_dot(struct enddata *d, struct out *o, bool crlf)
{
    if ((crlf && d->after_crlf) || d->flags & ENDDATA_LAX_END) {
        d->ended = true;
        return;
    }
    put(o, S("."));
    d->column++;
    end_line(d, o, crlf);
}

/* A dot was held and c follows; true where c is used up. */
static bool
after_dot(struct enddata *d, struct out *o, char c)
{
    if (c == '\r') {
        d->at = AT_DOT_CR;
        return true;
    }
    if (c == '\n') {
        lone_dot(d, o, false);
        return true;
    }
    d->at = AT_TEXT; /* the dot was stuffing */
    return false;
}

static bool
after_dot_cr(struct enddata *d, struct out *o, char c)
{
    if (c == '\n') {
        lone_dot(d, o, true);
        return true;
    }
    put_bare_cr(d, o);
    return false;
}

static bool
after_cr(struct enddata *d, struct out *o, char c)
{
    if (c == '\n') {
        end_line(d, o, true);
        return true;
    }
    put_bare_cr(d, o);
    return false;
}

static bool
at_start(struct enddata *d, char c)
{
    bool dot = c == '.' && !(d->flags & ENDDATA_COUNTED);

    d->at = dot ? AT_DOT : AT_TEXT;
    return dot;
}

/* Text up to and with the next line end, or all of s; returns what was used.
 * A CR as the last byte of the input is held. */
static size_t
text(struct enddata *d, struct str s, struct out *o)
{
    ssize_t lf = str_find(s, '\n');
    size_t end = lf < 0 ? s.len : (size_t)lf, used = 0;

    for (;;) {
        struct str left = str_sub(s, used, end - used);
        ssize_t cr = str_find(left, '\r');
        size_t plain = cr < 0 ? left.len : (size_t)cr;

        put(o, str_sub(left, 0, plain));
        d->column += plain;
        used += plain;
        if (cr < 0)
            break;
        used++;
        if (used == end) { /* before the LF, or at the end of the piece */
            d->at = AT_CR;
            return used;
        }
        put_bare_cr(d, o);
    }
    if (lf < 0)
        return used;
    end_line(d, o, false);
    return used + 1;
}

static void
count_nul(struct enddata *d, struct str s)
{
    for (ssize_t at; (at = str_find(s, '\0')) >= 0; d->nul++)
        s = str_sub(s, (size_t)at + 1, s.len);
}

size_t
enddata_scan(struct enddata *d, struct str in, char *out, size_t *out_len)
{
    struct out o = {out};
    size_t i = 0;

    while (i < in.len && !d->ended) {
        char c = in.p[i];

        switch (d->at) {
        case AT_START:
            i += at_start(d, c);
            break;
        case AT_DOT:
            i += after_dot(d, &o, c);
            break;
        case AT_DOT_CR:
            i += after_dot_cr(d, &o, c);
            break;
        case AT_CR:
            i += after_cr(d, &o, c);
            break;
        default:
            i += text(d, str_sub(in, i, in.len), &o);
        }
    }
    *out_len = (size_t)(o.p - out);

    struct str content = {out, *out_len};

    count_nul(d, content);
    d->eight_bit = d->eight_bit || !utf8_is_ascii(content);
    return i;
}

size_t
enddata_finish(struct enddata *d, char *out)
{
    struct out o = {out};

    if (d->at == AT_CR)
        put_bare_cr(d, &o);
    if (d->at == AT_TEXT)
        end_line(d, &o, true);
    return (size_t)(o.p - out);
}
