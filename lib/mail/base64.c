#include "mail/base64.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int
value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

void
base64_encode(struct buf *out, struct str in)
{
    char *at = buf_space(out, (in.len + 2) / 3 * 4), *start = at;
    const unsigned char *p = (const unsigned char *)in.p;

    for (size_t i = 0; i < in.len; i += 3) {
        size_t n = in.len - i < 3 ? in.len - i : 3;
        unsigned bits = (unsigned)p[i] << 16;

        bits |= n > 1 ? (unsigned)p[i + 1] << 8 : 0;
        bits |= n > 2 ? p[i + 2] : 0;
        *at++ = alphabet[bits >> 18];
        *at++ = alphabet[bits >> 12 & 63];
        *at++ = n > 1 ? alphabet[bits >> 6 & 63] : '=';
        *at++ = n > 2 ? alphabet[bits & 63] : '=';
    }
    out->len += (size_t)(at - start);
}

void
base64_encode_lines(struct buf *out, struct str in)
{
    for (size_t i = 0; i < in.len; i += 57) {
        base64_encode(out, str_sub(in, i, 57));
        buf_addc(out, '\n');
    }
}

/* The bytes that n digits of a group make. */
static void
put_group(struct buf *out, unsigned bits, size_t n)
{
    bits <<= 6 * (4 - n);
    if (n > 1)
        buf_addc(out, (char)(bits >> 16));
    if (n > 2)
        buf_addc(out, (char)(bits >> 8 & 255));
    if (n > 3)
        buf_addc(out, (char)(bits & 255));
}

bool
base64_decode(struct buf *out, struct str in)
{
    unsigned bits = 0;
    size_t digits = 0;

    if (in.len % 4 != 0)
        return false;
    for (size_t pads = 0; pads < 2 && in.len > 0 && in.p[in.len - 1] == '=';
         pads++)
        in.len--;
    for (size_t i = 0; i < in.len; i++) {
        int v = value_of(in.p[i]);

        if (v < 0)
            return false;
        bits = bits << 6 | (unsigned)v;
        if (++digits == 4) {
            put_group(out, bits, 4);
            bits = 0;
            digits = 0;
        }
    }
    if (digits == 1 || (digits == 2 && bits & 15) || (digits == 3 && bits & 3))
        return false;
    put_group(out, bits, digits);
    return true;
}

void
base64_decode_mail(struct buf *out, struct str in)
{
    unsigned bits = 0;
    size_t digits = 0;

    for (size_t i = 0; i < in.len && in.p[i] != '='; i++) {
        int v = value_of(in.p[i]);

        if (v < 0)
            continue;
        bits = bits << 6 | (unsigned)v;
        if (++digits == 4) {
            put_group(out, bits, 4);
            bits = 0;
            digits = 0;
        }
    }
    put_group(out, bits, digits);
}
