#include "store/uidlist.h"

static bool
number(struct str word, uint32_t max, uint32_t *value)
{
    uint64_t n;

    if (!str_num(word, &n) || n == 0 || n > max)
        return false;
    *value = (uint32_t)n;
    return true;
}

static bool
uid_of(struct str word, uint32_t *uid)
{
    return number(word, UIDLIST_LAST, uid);
}

static bool
guid_of(struct str hex, uint8_t guid[16])
{
    if (hex.len != 32)
        return false;
    for (size_t i = 0; i < 16; i++) {
        uint64_t byte;

        if (!str_hex(str_sub(hex, 2 * i, 2), &byte))
            return false;
        guid[i] = (uint8_t)byte;
    }
    return true;
}

static void
head_field(struct uidlist_head *h, struct str field, struct str line)
{
    struct str value = str_sub(field, 1, field.len);

    if (field.p[0] == 'V' && number(value, UINT32_MAX, &h->validity))
        return;
    if (field.p[0] == 'N' && uid_of(value, &h->next))
        return;
    if (field.p[0] == 'G') {
        h->has_guid = guid_of(value, h->guid);
        return;
    }
    /* From the first unknown field on; what we know is left out when it is
     * written. */
    if (h->others.len == 0)
        h->others =
            (struct str){field.p, (size_t)(line.p + line.len - field.p)};
}

bool
uidlist_head(struct str *text, struct uidlist_head *h)
{
    struct str line, rest, word;

    *h = (struct uidlist_head){0};
    if (!str_cut(text, '\n', &line))
        return false;
    rest = line;
    if (str_skip(&rest, S("1 "))) {
        str_cut(&rest, ' ', &word);
        return number(word, UINT32_MAX, &h->validity) && uid_of(rest, &h->next);
    }
    if (!str_skip(&rest, S("3 ")))
        return false;
    while (str_word(&rest, " ", &word))
        head_field(h, word, line);
    return h->validity && h->next;
}

static bool
fields_ok(struct str fields)
{
    struct str word;

    while (str_word(&fields, " ", &word))
        if (word.p[0] < 'A' || word.p[0] > 'Z')
            return false;
    return true;
}

/* "12 W3 :base", or version 1's "12 base", which may have the flags too. */
static bool
line_of(struct str line, struct uidlist_line *l)
{
    struct str word, file = line;

    if (!str_cut(&line, ' ', &word) || !uid_of(word, &l->uid))
        return false;
    file = line;
    l->fields = (struct str){0};
    if (str_skip(&file, S(":"))) {
        /* no fields */
    } else {
        ssize_t colon = str_search(line, S(" :"));

        if (colon >= 0) {
            l->fields = str_sub(line, 0, (size_t)colon);
            file = str_sub(line, (size_t)colon + 2, line.len);
        }
    }
    str_cut(&file, ':', &l->base);
    return l->base.len > 0 && l->base.len <= 255 &&
           str_find(l->base, '/') < 0 && fields_ok(l->fields);
}

bool
uidlist_next(struct str *text, uint32_t *last, struct uidlist_line *l)
{
    struct str line;

    while (str_cut(text, '\n', &line)) {
        if (!line_of(line, l) || l->uid <= *last)
            continue;
        *last = l->uid;
        return true;
    }
    return false;
}

struct str
uidlist_field(struct str fields, char key)
{
    struct str word;

    while (str_word(&fields, " ", &word))
        if (word.p[0] == key)
            return str_sub(word, 1, word.len);
    return (struct str){0};
}

void
uidlist_put_head(struct buf *b, const struct uidlist_head *h)
{
    struct str rest = h->others, word;

    buf_fmt(b, "3 V%u N%u G", h->validity, h->next);
    for (size_t i = 0; i < sizeof h->guid; i++)
        buf_fmt(b, "%02x", h->guid[i]);
    while (str_word(&rest, " ", &word))
        if (word.p[0] != 'V' && word.p[0] != 'N' && word.p[0] != 'G')
            buf_fmt(b, " %.*s", STR(word));
    buf_addc(b, '\n');
}

void
uidlist_put(struct buf *b, const struct uidlist_line *l)
{
    buf_fmt(b, "%u ", l->uid);
    if (l->fields.len) {
        buf_add(b, l->fields);
        buf_addc(b, ' ');
    }
    buf_addc(b, ':');
    buf_add(b, l->base);
    buf_addc(b, '\n');
}
