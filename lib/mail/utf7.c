#include "mail/utf7.h"

#include "base/utf8.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static bool
is_direct(uint32_t c)
{
    return c >= ' ' && c < 127;
}

/* ---- from UTF-7 ---- */

struct reading {
    struct buf out;
    uint32_t bits; /* not yet a unit of UTF-16 */
    unsigned count;
    uint32_t high; /* surrogate that waits for its other half */
};

/* One unit of UTF-16: no character that should stand for itself. */
static bool
take_unit(struct reading *r, uint32_t unit)
{
    if (r->high) {
        if (unit < 0xdc00 || unit > 0xdfff)
            return false;
        utf8_put(&r->out, 0x10000 + ((r->high - 0xd800) << 10) + unit - 0xdc00);
        r->high = 0;
        return true;
    }
    if (unit >= 0xd800 && unit < 0xdc00) {
        r->high = unit;
        return true;
    }
    if (is_direct(unit) || unit < ' ' || unit == 127 ||
        (unit >= 0xdc00 && unit <= 0xdfff))
        return false;
    utf8_put(&r->out, unit);
    return true;
}

/* What stands between "&" and "-". */
static bool
take_shifted(struct reading *r, struct str s)
{
    r->bits = r->count = 0;
    for (size_t i = 0; i < s.len; i++) {
        const char *digit = s.p[i] ? strchr(alphabet, s.p[i]) : NULL;

        if (digit == NULL)
            return false;
        r->bits = r->bits << 6 | (uint32_t)(digit - alphabet);
        r->count += 6;
        if (r->count < 16)
            continue;
        r->count -= 16;
        if (!take_unit(r, r->bits >> r->count & 0xffff))
            return false;
        r->bits &= (1U << r->count) - 1;
    }
    return r->count < 6 && r->bits == 0 && r->high == 0;
}

bool
utf7_decode(struct arena *a, struct str name, struct str *out)
{
    struct reading r = {.out = buf_in(a)};
    bool shifted = false; /* what came just before */

    while (name.len > 0) {
        struct str inner;

        if (!str_skip(&name, S("&"))) {
            if (!is_direct((unsigned char)name.p[0]))
                return false;
            buf_addc(&r.out, name.p[0]);
            name = str_sub(name, 1, name.len);
            shifted = false;
            continue;
        }
        if (str_find(name, '-') < 0)
            return false;
        str_cut(&name, '-', &inner);
        if (inner.len == 0) {
            buf_addc(&r.out, '&');
            shifted = false;
        } else if (shifted || !take_shifted(&r, inner)) {
            /* Two in a row would be one. */
            return false;
        } else {
            shifted = true;
        }
    }
    *out = buf_str(&r.out);
    return true;
}

/* ---- to UTF-7 ---- */

struct writing {
    struct buf out;
    uint32_t bits;
    unsigned count;
    bool shifted;
};

static void
put_unit(struct writing *w, uint32_t unit)
{
    if (!w->shifted)
        buf_addc(&w->out, '&');
    w->shifted = true;
    w->bits = w->bits << 16 | unit;
    w->count += 16;
    while (w->count >= 6) {
        w->count -= 6;
        buf_addc(&w->out, alphabet[w->bits >> w->count & 63]);
    }
    w->bits &= (1U << w->count) - 1;
}

static void
end_shift(struct writing *w)
{
    if (!w->shifted)
        return;
    if (w->count > 0)
        buf_addc(&w->out, alphabet[w->bits << (6 - w->count) & 63]);
    buf_addc(&w->out, '-');
    w->shifted = false;
    w->bits = w->count = 0;
}

bool
utf7_encode(struct arena *a, struct str name, struct str *out)
{
    struct writing w = {.out = buf_in(a)};

    if (!utf8_valid(name))
        return false;
    while (name.len > 0) {
        uint32_t c = utf8_next(&name);

        if (c < ' ' || c == 127)
            return false;
        if (is_direct(c)) {
            end_shift(&w);
            buf_addc(&w.out, (char)c);
            if (c == '&')
                buf_addc(&w.out, '-');
        } else if (c < 0x10000) {
            put_unit(&w, c);
        } else {
            put_unit(&w, 0xd800 + ((c - 0x10000) >> 10));
            put_unit(&w, 0xdc00 + (c & 0x3ff));
        }
    }
    end_shift(&w);
    *out = buf_str(&w.out);
    return true;
}
