#include "url.h"

#include "base/utf8.h"
#include "parser.h"

#define URL_MAX 8192

static int
hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    c = to_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "%20" is a blank. */
static bool
decode(struct arena *a, struct str text, struct str *out)
{
    struct buf b = buf_in(a);

    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];

        if (c == '%') {
            int high = i + 2 < text.len ? hex_digit(text.p[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(text.p[i + 2]) : -1;

            if (low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0')
            return false;
        buf_addc(&b, c);
    }
    *out = buf_str(&b);
    return utf8_valid(*out);
}

/* Cut the text in two at a mark, whatever its case. */
static bool
cut(struct str *text, struct str mark, struct str *head)
{
    for (size_t i = 0; i + mark.len <= text->len; i++) {
        struct str rest = str_sub(*text, i, text->len);

        if (str_iskip(&rest, mark)) {
            *head = str_sub(*text, 0, i);
            *text = rest;
            return true;
        }
    }
    return false;
}

static bool
number(struct str text, uint32_t *n)
{
    uint64_t value;

    if (!str_num(text, &value) || value > UINT32_MAX)
        return false;
    *n = (uint32_t)value;
    return true;
}

static bool
take_section(struct arena *a, struct str text, struct imap_url *url)
{
    struct fetch_item item = {.kind = FETCH_SECTION};
    struct parser p = {.arena = a};
    struct str section;

    if (!decode(a, text, &section))
        return false;
    p.start = arena_fmt(a, "[%.*s]", STR(section));
    p.rest = str_from(p.start);
    if (!parse_section(&p, &item) || p.rest.len > 0)
        return false;
    url->section = item.section;
    return true;
}

/* "100.50", "100" */
static bool
take_partial(struct str text, struct imap_url *url)
{
    struct str offset;
    bool both = str_cut(&text, '.', &offset);

    url->partial = true;
    url->length = UINT32_MAX;
    return number(offset, &url->offset) &&
           (!both || (number(text, &url->length) && url->length > 0));
}

static bool
take_mailbox_part(struct arena *a, struct str text, struct imap_url *url)
{
    struct str name;

    if (cut(&text, S(";UIDVALIDITY="), &name)) {
        if (!number(text, &url->validity) || url->validity == 0)
            return false;
        text = name;
    }
    return text.len > 0 && decode(a, text, &url->mailbox);
}

/* With or without the first slash, which is taken off; not "imap:" or "//". */
static bool
is_path(struct str *text)
{
    struct str first, rest = *text;

    if (str_skip(text, S("/")))
        return !str_starts(*text, S("/"));
    str_cut(&rest, '/', &first);
    return str_find(first, ':') < 0;
}

bool
url_parse(struct arena *a, struct str text, struct imap_url *url)
{
    struct str head, tail;

    *url = (struct imap_url){0};
    if (text.len > URL_MAX || !is_path(&text) ||
        !cut(&text, S("/;UID="), &head) || !take_mailbox_part(a, head, url))
        return false;
    tail = text;
    if (cut(&tail, S("/;PARTIAL="), &head)) {
        if (!take_partial(tail, url))
            return false;
        text = head;
    }
    tail = text;
    if (cut(&tail, S("/;SECTION="), &head)) {
        if (!take_section(a, tail, url))
            return false;
        text = head;
    }
    return number(text, &url->uid) && url->uid > 0;
}
