#include "mail/preview.h"

#include "base/utf8.h"
#include "mail/body.h"

#define INPUT_MAX ((size_t)65536)

/* One line that grows: blanks are made one, and it ends when it is long
 * enough. */
struct line {
    struct buf text;
    size_t characters;
    bool blank;
};

static bool
is_full(const struct line *l)
{
    return l->characters >= PREVIEW_MAX;
}

/* Blanks of all kinds, and what nobody sees. */
static bool
is_gap(uint32_t c)
{
    return c <= ' ' || (c >= 0x7f && c <= 0xa0) || c == 0xad || c == 0xfeff ||
           (c >= 0x2000 && c <= 0x200f) || (c >= 0x2028 && c <= 0x202f) ||
           c == 0x034f || c == 0x3000;
}

static void
put_char(struct line *l, uint32_t c)
{
    if (is_gap(c)) {
        l->blank = l->text.len > 0;
        return;
    }
    if (l->blank && !is_full(l)) {
        buf_addc(&l->text, ' ');
        l->characters++;
    }
    l->blank = false;
    if (!is_full(l)) {
        utf8_put(&l->text, c);
        l->characters++;
    }
}

static void
put_text(struct line *l, struct str text)
{
    while (text.len > 0 && !is_full(l))
        put_char(l, utf8_next(&text));
}

/* ---- plain text ---- */

static void
take_plain(struct arena *a, struct str text, struct line *l)
{
    struct line quoted = {.text = buf_in(a)};
    struct str line;
    bool more = true;

    while (more && !is_full(l)) {
        more = str_cut(&text, '\n', &line);

        struct line *to = str_starts(line, S(">")) ? &quoted : l;

        put_text(to, line);
        put_char(to, '\n');
    }
    if (l->text.len == 0)
        *l = quoted;
}

/* ---- HTML ---- */

/* Elements whose content is not shown. */
static const char *const hidden[] = {"style", "script",   "head",
                                     "title", "noscript", "svg"};

/* The name of the element in a tag: "a" of "<a href>", "/a" of "</a>". */
static struct str
tag_name(struct str tag)
{
    size_t i = str_starts(tag, S("/"));

    while (i < tag.len && is_alnum(tag.p[i]))
        i++;
    return str_sub(tag, 0, i);
}

/* Elements within a line make no gap. */
static bool
is_inline(struct str name)
{
    static const char *const names[] = {"a",  "b",    "i",   "u",      "em",
                                        "s",  "span", "sub", "strong", "font",
                                        "tt", "code", "sup", "small",  "big"};

    str_skip(&name, S("/"));
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_ieq(name, str_from(names[i])))
            return true;
    return false;
}

/* Past "</name>"; to the end where it never comes. */
static void
skip_element(struct str *text, const char *name)
{
    struct str tag;

    while (str_cut(text, '<', NULL)) {
        struct str rest = *text;

        if (str_skip(&rest, S("/")) && str_iskip(&rest, str_from(name)) &&
            str_cut(&rest, '>', &tag)) {
            *text = rest;
            return;
        }
    }
}

/* Behind "<": a comment or a tag, and what is hidden in it. */
static void
take_tag(struct str *text, struct line *l)
{
    struct str tag, name;

    if (str_starts(*text, S("!--"))) {
        ssize_t end = str_search(*text, S("-->"));

        *text =
            str_sub(*text, end < 0 ? text->len : (size_t)end + 3, text->len);
        return;
    }
    str_cut(text, '>', &tag);
    name = tag_name(tag);
    for (size_t i = 0; i < COUNT(hidden); i++)
        if (str_ieq(name, str_from(hidden[i])) && !str_ends(tag, S("/")))
            skip_element(text, hidden[i]);
    if (!is_inline(name))
        put_char(l, ' ');
}

static const struct {
    const char *name;
    uint32_t c;
} entities[] = {
    {"amp",    '&'   },
    {"lt",     '<'   },
    {"gt",     '>'   },
    {"quot",   '"'   },
    {"apos",   '\''  },
    {"nbsp",   ' '   },
    {"copy",   0xa9  },
    {"reg",    0xae  },
    {"auml",   0xe4  },
    {"ouml",   0xf6  },
    {"uuml",   0xfc  },
    {"Auml",   0xc4  },
    {"Ouml",   0xd6  },
    {"Uuml",   0xdc  },
    {"szlig",  0xdf  },
    {"eacute", 0xe9  },
    {"egrave", 0xe8  },
    {"agrave", 0xe0  },
    {"aacute", 0xe1  },
    {"iacute", 0xed  },
    {"oacute", 0xf3  },
    {"uacute", 0xfa  },
    {"ntilde", 0xf1  },
    {"ccedil", 0xe7  },
    {"ndash",  0x2013},
    {"mdash",  0x2014},
    {"lsquo",  0x2018},
    {"rsquo",  0x2019},
    {"ldquo",  0x201c},
    {"rdquo",  0x201d},
    {"hellip", 0x2026},
    {"euro",   0x20ac},
};

/* The character that "amp", "#65" or "#x41" stands for. */
static bool
find_entity(struct str name, uint64_t *c)
{
    struct str digits = name;

    if (str_skip(&digits, S("#x")))
        return str_hex(digits, c) && *c <= 0x10ffff;
    if (str_skip(&digits, S("#")))
        return str_num(digits, c) && *c <= 0x10ffff;
    for (size_t i = 0; i < COUNT(entities); i++)
        if (str_eq(name, str_from(entities[i].name))) {
            *c = entities[i].c;
            return true;
        }
    return false;
}

/* Behind "&": a character by name or number, or just that. */
static void
take_entity(struct str *text, struct line *l)
{
    struct str name, rest = str_sub(*text, 0, 12);
    uint64_t c;

    if (!str_cut(&rest, ';', &name) || !find_entity(name, &c)) {
        put_char(l, '&');
        return;
    }
    *text = str_sub(*text, name.len + 1, text->len);
    put_char(l, (uint32_t)c);
}

static void
take_html(struct str text, struct line *l)
{
    while (text.len > 0 && !is_full(l)) {
        if (str_skip(&text, S("<")))
            take_tag(&text, l);
        else if (str_skip(&text, S("&")))
            take_entity(&text, l);
        else
            put_char(l, utf8_next(&text));
    }
}

/* ---- which part ---- */

static bool
has_subtype(const struct structure_part *p, const char *subtype)
{
    struct str rest = p->fields;

    /* "text" "plain" ... */
    if (!str_cut(&rest, ' ', NULL) || !str_skip(&rest, S("\"")))
        return false;
    return str_iskip(&rest, str_from(subtype)) && str_starts(rest, S("\""));
}

static bool
is_attachment(const struct structure_part *p)
{
    struct str rest = p->extended;

    /* MD5, then ("attachment" ...) */
    return str_cut(&rest, '(', NULL) && str_istarts(rest, S("\"attachment\""));
}

/* The first text of a kind, not in messages in the message. */
static const struct structure_part *
find_part(const struct structure *s, const char *subtype)
{
    for (uint32_t i = 0; i < s->count;) {
        const struct structure_part *p = &s->parts[i];

        if (p->kind == STRUCTURE_LEAF && p->is_text && body_is_known(p) &&
            has_subtype(p, subtype) && !is_attachment(p))
            return p;
        i = p->kind == STRUCTURE_MESSAGE ? p->next : i + 1;
    }
    return NULL;
}

static struct str
read_part(struct arena *a, struct str message, const struct structure *s,
          const struct structure_part *p, struct converters *more)
{
    struct buf text = buf_in(a);
    struct body b;
    struct str piece;

    body_open_text(a, message, s, p, more, &b);
    while (text.len < INPUT_MAX && body_next(&b, &piece))
        buf_add(&text, piece);
    body_close(&b);
    return buf_str(&text);
}

struct str
preview(struct arena *a, struct str message, const struct structure *s,
        struct converters *more)
{
    const struct structure_part *plain = find_part(s, "plain");
    const struct structure_part *html = find_part(s, "html");
    struct line l = {.text = buf_in(a)};

    if (plain)
        take_plain(a, read_part(a, message, s, plain, more), &l);
    if (html && l.text.len == 0)
        take_html(read_part(a, message, s, html, more), &l);
    return buf_str(&l.text);
}
