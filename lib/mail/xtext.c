#include "mail/xtext.h"

#include "base/buf.h"
#include "base/utf8.h"

static bool
is_xchar(char c)
{
    return c >= '!' && c <= '~' && c != '+' && c != '=';
}

struct str
xtext_encode(struct arena *a, struct str s)
{
    struct buf b = buf_in(a);

    for (size_t i = 0; i < s.len; i++) {
        if (is_xchar(s.p[i]))
            buf_addc(&b, s.p[i]);
        else
            buf_fmt(&b, "+%02X", (unsigned char)s.p[i]);
    }
    return buf_str(&b);
}

bool
xtext_decode(struct arena *a, struct str s, struct str *out)
{
    struct buf b = buf_in(a);
    size_t plain = 0;
    uint64_t byte;

    while (plain < s.len && is_xchar(s.p[plain]))
        plain++;
    *out = s;
    if (plain == s.len)
        return true;
    for (size_t i = 0; i < s.len; i++) {
        if (is_xchar(s.p[i])) {
            buf_addc(&b, s.p[i]);
            continue;
        }
        if (s.p[i] != '+' || s.len - i < 3 ||
            !str_hex(str_sub(s, i + 1, 2), &byte))
            return false;
        buf_addc(&b, (char)byte);
        i += 2;
    }
    *out = buf_str(&b);
    return true;
}

static struct str
encode_utf8(struct arena *a, struct str s, bool keep)
{
    struct buf b = buf_in(a);

    while (s.len > 0) {
        uint32_t c = utf8_next(&s);

        if (c > ' ' && c < 127 && c != '+' && c != '=' && c != '\\')
            buf_addc(&b, (char)c);
        else if (c > 127 && keep)
            utf8_put(&b, c);
        else
            buf_fmt(&b, "\\x{%02X}", c);
    }
    return buf_str(&b);
}

struct str
xtext_encode_utf8(struct arena *a, struct str s)
{
    return encode_utf8(a, s, false);
}

struct str
xtext_encode_unitext(struct arena *a, struct str s)
{
    return encode_utf8(a, s, true);
}

/* Take \x{HEX} off the front; s stands behind the backslash. */
static bool
take_escape(struct str *s, uint32_t *c)
{
    struct str hex;
    uint64_t value;

    if (!str_skip(s, S("x{")) || !str_cut(s, '}', &hex) || hex.len < 2 ||
        hex.len > 6 || !str_hex(hex, &value) || value > 0x10ffff ||
        (value >= 0xd800 && value <= 0xdfff))
        return false;
    *c = (uint32_t)value;
    return true;
}

bool
xtext_decode_utf8(struct arena *a, struct str s, struct str *out)
{
    struct buf b = buf_in(a);

    if (!utf8_valid(s))
        return false;
    while (s.len > 0) {
        uint32_t c = utf8_next(&s);

        if (c == '\\' && !take_escape(&s, &c))
            return false;
        utf8_put(&b, c);
    }
    *out = buf_str(&b);
    return true;
}
