#include "base/utf8.h"

bool
utf8_is_ascii(struct str s)
{
    uint64_t word, seen = 0;
    size_t i = 0;

    for (; s.len - i >= sizeof word; i += sizeof word) {
        memcpy(&word, s.p + i, sizeof word);
        seen |= word;
    }
    for (; i < s.len; i++)
        seen |= (unsigned char)s.p[i];
    return (seen & 0x8080808080808080) == 0;
}

/* The length of the well-formed character that a view begins with, 0 if it
 * begins with none (table 3-7 of the Unicode standard). */
static size_t
decode(struct str s, uint32_t *c)
{
    static const struct {
        unsigned char first, last, low, high; /* of byte 1, of byte 2 */
        unsigned char len, bits;
    } rows[] = {
        {0x00, 0x7f, 0,    0,    1, 0x7f},
        {0xc2, 0xdf, 0x80, 0xbf, 2, 0x1f},
        {0xe0, 0xe0, 0xa0, 0xbf, 3, 0x0f},
        {0xe1, 0xec, 0x80, 0xbf, 3, 0x0f},
        {0xed, 0xed, 0x80, 0x9f, 3, 0x0f},
        {0xee, 0xef, 0x80, 0xbf, 3, 0x0f},
        {0xf0, 0xf0, 0x90, 0xbf, 4, 0x07},
        {0xf1, 0xf3, 0x80, 0xbf, 4, 0x07},
        {0xf4, 0xf4, 0x80, 0x8f, 4, 0x07},
    };
    const unsigned char *p = (const unsigned char *)s.p;
    size_t i = 0;

    while (i < COUNT(rows) && (p[0] < rows[i].first || p[0] > rows[i].last))
        i++;
    if (i == COUNT(rows) || s.len < rows[i].len)
        return 0;
    if (rows[i].len > 1 && (p[1] < rows[i].low || p[1] > rows[i].high))
        return 0;
    *c = p[0] & rows[i].bits;
    for (size_t k = 1; k < rows[i].len; k++) {
        if ((p[k] & 0xc0) != 0x80)
            return 0;
        *c = *c << 6 | (p[k] & 0x3f);
    }
    return rows[i].len;
}

/* What follows the ASCII at its beginning. */
static struct str
behind_ascii(struct str s)
{
    uint64_t word;
    size_t i = 0;

    for (; s.len - i >= sizeof word; i += sizeof word) {
        memcpy(&word, s.p + i, sizeof word);
        if (word & 0x8080808080808080)
            break;
    }
    while (i < s.len && !(s.p[i] & 0x80))
        i++;
    return (struct str){s.p + i, s.len - i};
}

bool
utf8_valid(struct str s)
{
    uint32_t c;

    while ((s = behind_ascii(s)).len > 0) {
        size_t n = decode(s, &c);

        if (n == 0)
            return false;
        s = (struct str){s.p + n, s.len - n};
    }
    return true;
}

uint32_t
utf8_next(struct str *s)
{
    uint32_t c = UTF8_BAD;
    size_t n = decode(*s, &c);

    *s = str_sub(*s, n ? n : 1, s->len);
    return n ? c : UTF8_BAD;
}

void
utf8_put(struct buf *b, uint32_t c)
{
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        c = UTF8_BAD;
    if (c < 0x80) {
        buf_addc(b, (char)c);
        return;
    }

    unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};

    buf_addc(b, (char)(lead[more] | c >> (6 * more)));
    while (more-- > 0)
        buf_addc(b, (char)(0x80 | (c >> (6 * more) & 0x3f)));
}
