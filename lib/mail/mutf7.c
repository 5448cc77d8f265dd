#include "mail/mutf7.h"

#include "base/utf8.h"

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* UTF-16 units on their way to or from base64. */
struct bits {
    uint32_t held;
    unsigned count;
};

static void
put_unit(struct buf *out, struct bits *b, uint32_t unit)
{
    b->held = b->held << 16 | unit;
    b->count += 16;
    while (b->count >= 6) {
        b->count -= 6;
        buf_addc(out, digits[b->held >> b->count & 63]);
    }
    b->held &= (1u << b->count) - 1;
}

static void
put_wide(struct buf *out, struct bits *b, uint32_t c)
{
    if (c < 0x10000) {
        put_unit(out, b, c);
        return;
    }
    put_unit(out, b, 0xd800 + ((c - 0x10000) >> 10));
    put_unit(out, b, 0xdc00 + ((c - 0x10000) & 0x3ff));
}

static void
end_wide(struct buf *out, const struct bits *b)
{
    if (b->count)
        buf_addc(out, digits[b->held << (6 - b->count) & 63]);
    buf_addc(out, '-');
}

bool
mutf7_encode(struct buf *out, struct str utf8)
{
    struct bits b = {0};
    bool wide = false;

    if (!utf8_valid(utf8))
        return false;
    while (utf8.len) {
        uint32_t c = utf8_next(&utf8);

        if (c < ' ' || c == 0x7f)
            return false;
        if (c < 0x7f) {
            if (wide)
                end_wide(out, &b);
            wide = false;
            buf_addc(out, (char)c);
            if (c == '&')
                buf_addc(out, '-');
            continue;
        }
        if (!wide) {
            buf_addc(out, '&');
            b = (struct bits){0};
            wide = true;
        }
        put_wide(out, &b, c);
    }
    if (wide)
        end_wide(out, &b);
    return true;
}

static int
digit(char c)
{
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* One run of base64, without its "&" and "-". */
static bool
decode_run(struct buf *out, struct str run)
{
    uint32_t held = 0, high = 0;
    unsigned count = 0;

    for (size_t i = 0; i < run.len; i++) {
        int d = digit(run.p[i]);

        if (d < 0)
            return false;
        held = (held << 6 | (uint32_t)d) & 0x3fffff;
        count += 6;
        if (count < 16)
            continue;
        count -= 16;
        uint32_t unit = held >> count & 0xffff;

        if (high && (unit < 0xdc00 || unit > 0xdfff))
            return false;
        if (high)
            utf8_put(out, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
        else if (unit < 0xd800 || unit > 0xdfff)
            utf8_put(out, unit);
        else if (unit > 0xdbff)
            return false;
        high = !high && unit >= 0xd800 && unit <= 0xdbff ? unit : 0;
    }
    return high == 0;
}

static bool
decode(struct buf *out, struct str rest)
{
    struct str run;

    while (rest.len) {
        if (rest.p[0] != '&') {
            buf_addc(out, rest.p[0]);
            rest = str_sub(rest, 1, rest.len);
            continue;
        }
        rest = str_sub(rest, 1, rest.len);
        if (!str_cut(&rest, '-', &run))
            return false;
        if (run.len == 0)
            buf_addc(out, '&');
        else if (!decode_run(out, run))
            return false;
    }
    return true;
}

bool
mutf7_decode(struct buf *out, struct str mutf7)
{
    size_t from = out->len;
    struct buf again = buf_in(out->arena);

    if (!decode(out, mutf7))
        return false;
    return mutf7_encode(&again, (struct str){out->p + from, out->len - from}) &&
           str_eq(buf_str(&again), mutf7);
}
