#include "mail/charset.h"

#include "base/utf8.h"

static void
from_utf8(struct buf *out, struct str text)
{
    if (utf8_valid(text)) {
        buf_add(out, text);
        return;
    }
    while (text.len > 0)
        utf8_put(out, utf8_next(&text));
}

static void
from_ascii(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];

        utf8_put(out, c < 128 ? c : 0xfffd);
    }
}

/* Browsers and mailers alike take the C1 range of Latin-1 for windows-1252. */
static uint32_t
windows_1252(unsigned char c)
{
    static const uint16_t c1[] = {
        0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
        0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd,
        0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
        0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178,
    };

    return c >= 0x80 && c < 0xa0 ? c1[c - 0x80] : c;
}

static void
from_latin1(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        utf8_put(out, windows_1252((unsigned char)text.p[i]));
}

static uint32_t
latin9(unsigned char c)
{
    switch (c) {
    case 0xa4:
        return 0x20ac;
    case 0xa6:
        return 0x0160;
    case 0xa8:
        return 0x0161;
    case 0xb4:
        return 0x017d;
    case 0xb8:
        return 0x017e;
    case 0xbc:
        return 0x0152;
    case 0xbd:
        return 0x0153;
    case 0xbe:
        return 0x0178;
    default:
        return c;
    }
}

static void
from_latin9(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        utf8_put(out, latin9((unsigned char)text.p[i]));
}

static const struct row {
    const char *name;
    void (*convert)(struct buf *out, struct str text);
} known[] = {
    {"utf-8",        from_utf8  },
    {"utf8",         from_utf8  },
    {"us-ascii",     from_ascii },
    {"ascii",        from_ascii },
    {"iso-8859-1",   from_latin1},
    {"latin1",       from_latin1},
    {"windows-1252", from_latin1},
    {"cp1252",       from_latin1},
    {"iso-8859-15",  from_latin9},
};

static const struct row *
find(struct str charset)
{
    for (size_t i = 0; i < COUNT(known); i++)
        if (str_ieq(charset, str_from(known[i].name)))
            return &known[i];
    return NULL;
}

bool
charset_to_utf8(struct buf *out, struct str charset, struct str text)
{
    const struct row *row = find(charset);

    if (row)
        row->convert(out, text);
    return row != NULL;
}

bool
charset_convert(struct buf *out, struct converters *more, struct str charset,
                struct str text)
{
    struct converter *c;

    if (charset_to_utf8(out, charset, text))
        return true;
    c = more ? more->open(more, charset) : NULL;
    if (c == NULL)
        return false;
    c->put(c, out, &text, true);
    c->close(c);
    return true;
}

/* ---- in pieces ---- */

struct table_converter {
    struct converter converter; /* first: it is what others hold */
    const struct row *row;
};

/* How many bytes at the end may be a character that goes on. */
static size_t
cut_utf8(struct str s)
{
    for (size_t n = 1; n <= 3 && n <= s.len; n++) {
        unsigned char c = (unsigned char)s.p[s.len - n];

        if (c >= 0xc0)
            return (c >= 0xf0 && n < 4) || (c >= 0xe0 && n < 3) || n < 2 ? n
                                                                         : 0;
        if (c < 0x80)
            return 0;
    }
    return 0;
}

static void
put_table(struct converter *c, struct buf *out, struct str *in, bool last)
{
    const struct row *row = ((struct table_converter *)c)->row;
    size_t cut = last || row->convert != from_utf8 ? 0 : cut_utf8(*in);

    row->convert(out, str_sub(*in, 0, in->len - cut));
    *in = str_sub(*in, in->len - cut, cut);
}

static void
close_table(struct converter *c)
{
    (void)c;
}

struct converter *
charset_open(struct arena *a, struct converters *more, struct str charset)
{
    const struct row *row = find(charset);
    struct table_converter *c;

    if (row == NULL)
        return more ? more->open(more, charset) : NULL;
    c = arena_make(a, struct table_converter);
    c->converter = (struct converter){put_table, close_table};
    c->row = row;
    return &c->converter;
}

void
charset_guess(struct buf *out, struct str text)
{
    if (utf8_valid(text))
        buf_add(out, text);
    else
        from_latin1(out, text);
}
