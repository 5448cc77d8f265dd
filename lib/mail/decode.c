#include "mail/decode.h"

/* ---- base64 ---- */

enum { SKIP = 64, PAD = 65 };

/* The value of a digit; SKIP for what is none. */
static unsigned
digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (unsigned)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 26;
    if (is_digit(c))
        return (unsigned)(c - '0') + 52;
    return c == '+' ? 62 : c == '/' ? 63 : c == '=' ? PAD : SKIP;
}

/* What the digits of an unfinished group make; the rest of them is lost. */
static char *
end_group(struct decoder *d, char *to)
{
    uint32_t bits = d->bits << 6 * (4 - d->digits);

    if (d->digits > 1)
        *to++ = (char)(bits >> 16 & 255);
    if (d->digits > 2)
        *to++ = (char)(bits >> 8 & 255);
    d->bits = d->digits = 0;
    return to;
}

static void
put_base64(struct decoder *d, struct str in, struct buf *out)
{
    char *start = buf_space(out, in.len + 4), *to = start;

    for (size_t i = 0; i < in.len; i++) {
        unsigned value = digit(in.p[i]);

        if (value == PAD)
            to = end_group(d, to);
        if (value >= SKIP)
            continue;
        d->bits = d->bits << 6 | value;
        if (++d->digits < 4)
            continue;
        *to++ = (char)(d->bits >> 16 & 255);
        *to++ = (char)(d->bits >> 8 & 255);
        *to++ = (char)(d->bits & 255);
        d->bits = d->digits = 0;
    }
    out->len += (size_t)(to - start);
}

/* ---- quoted-printable ---- */

/* The length of the line end that s begins with, or of blanks and one. */
static size_t
line_end(struct str s)
{
    size_t i = 0;

    while (i < s.len && is_blank(s.p[i]))
        i++;
    if (i + 1 < s.len && s.p[i] == '\r' && s.p[i + 1] == '\n')
        return i + 2;
    return i < s.len && s.p[i] == '\n' ? i + 1 : 0;
}

/* Could what s begins with still become something else? All that follows is
 * blanks, CR, or the beginning of "=XX". */
static bool
is_open(struct str s)
{
    size_t i = s.p[0] == '=';

    if (i == 1 && s.len == 2 && (is_digit(s.p[1]) || is_alpha(s.p[1])))
        return true;
    while (i < s.len && is_blank(s.p[i]))
        i++;
    return i == s.len || (s.p[i] == '\r' && i + 1 == s.len);
}

/* Decode one thing at the front; its length. */
static size_t
decode_one(struct str s, struct buf *out)
{
    uint64_t byte;
    size_t end;

    if (s.p[0] == '=') {
        if (s.len > 2 && str_hex(str_sub(s, 1, 2), &byte)) {
            buf_addc(out, (char)byte);
            return 3;
        }
        end = line_end(str_sub(s, 1, s.len));
        if (end == 0)
            buf_addc(out, '=');
        return end + 1;
    }
    end = line_end(s);
    if (end > 0) {
        buf_add(out, s.p[end - 1] == '\n' && end > 1 && s.p[end - 2] == '\r'
                         ? S("\r\n")
                         : S("\n"));
        return end;
    }
    /* Blanks that end no line are looked at once. */
    do
        buf_addc(out, s.p[end++]);
    while (is_blank(s.p[end - 1]) && end < s.len && is_blank(s.p[end]));
    return end;
}

/* The bytes that mean themselves. */
static size_t
plain_len(struct str s)
{
    size_t i = 0;

    while (i < s.len && s.p[i] != '=' && !is_space(s.p[i]))
        i++;
    return i;
}

static void
decode_qp(struct decoder *d, struct str s, bool last, struct buf *out)
{
    while (s.len > 0) {
        size_t len = plain_len(s);

        buf_add(out, str_sub(s, 0, len));
        s = str_sub(s, len, s.len);
        if (s.len == 0)
            return;
        if (!last && s.len < sizeof d->held && is_open(s)) {
            memmove(d->held, s.p, s.len);
            d->held_len = s.len;
            return;
        }
        len = decode_one(s, out);
        s = str_sub(s, len, s.len);
    }
}

/* What is held, and the first bytes behind it, until it means something. */
static void
put_qp(struct decoder *d, struct str in, struct buf *out)
{
    while (d->held_len > 0 && in.len > 0) {
        char joined[sizeof d->held + 1];
        size_t len = d->held_len;

        memcpy(joined, d->held, len);
        joined[len++] = in.p[0];
        in = str_sub(in, 1, in.len);
        d->held_len = 0;
        decode_qp(d, (struct str){joined, len}, false, out);
    }
    decode_qp(d, in, false, out);
}

/* ---- any ---- */

void
decode_put(struct decoder *d, struct str in, struct buf *out)
{
    if (in.len == 0)
        return;
    if (d->encoding == MIME_BASE64)
        put_base64(d, in, out);
    else if (d->encoding == MIME_QP)
        put_qp(d, in, out);
    else
        buf_add(out, in);
}

/* Blanks at the very end go, as at the end of a line; and a last "=". */
void
decode_end(struct decoder *d, struct buf *out)
{
    if (d->encoding == MIME_BASE64) {
        char *start = buf_space(out, 4);

        out->len += (size_t)(end_group(d, start) - start);
    }

    struct str s = {d->held, d->held_len};

    while (s.len > 0 && is_space(s.p[s.len - 1]))
        s.len--;
    if (s.len > 0 && s.p[s.len - 1] == '=')
        s.len--;
    buf_add(out, s);
    d->held_len = 0;
}
