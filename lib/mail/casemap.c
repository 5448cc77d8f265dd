#include "mail/casemap.h"

#include <utf8proc.h>

#include "base/utf8.h"

/* How much is mapped at once where a text is searched. */
#define PIECE 4096

/* The longest decomposition (U+FDFA) is 18 characters. */
#define DECOMPOSED_MAX 32

/* UnicodeData.txt has no titlecase for sharp s; utf8proc says U+1E9E. */
static utf8proc_int32_t
titlecase(uint32_t c)
{
    return c == 0xdf ? 0xdf : utf8proc_totitle((utf8proc_int32_t)c);
}

static void
put_char(struct buf *out, uint32_t c)
{
    utf8proc_int32_t decomposed[DECOMPOSED_MAX];
    utf8proc_ssize_t n =
        utf8proc_decompose_char(titlecase(c), decomposed, DECOMPOSED_MAX,
                                UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, NULL);

    if (n < 1 || n > DECOMPOSED_MAX) {
        utf8_put(out, c);
        return;
    }
    for (utf8proc_ssize_t i = 0; i < n; i++)
        utf8_put(out, (uint32_t)decomposed[i]);
}

/* ASCII at the front: nearly all of mail. */
static size_t
put_ascii(struct buf *out, struct str text)
{
    char *to = buf_space(out, text.len);
    size_t i = 0;

    for (; i < text.len && (unsigned char)text.p[i] < 128; i++)
        to[i] = to_upper(text.p[i]);
    out->len += i;
    return i;
}

void
casemap_put(struct buf *out, struct str text)
{
    while (text.len > 0) {
        size_t ascii = put_ascii(out, str_sub(text, 0, PIECE));

        text = str_sub(text, ascii, text.len);
        while (text.len > 0 && (unsigned char)text.p[0] > 127)
            put_char(out, utf8_next(&text));
    }
}

struct str
casemap(struct arena *a, struct str text)
{
    struct buf b = buf_in(a);

    casemap_put(&b, text);
    return buf_str(&b);
}

/* A piece that ends with a character. */
static size_t
piece_len(struct str text)
{
    size_t len = text.len < PIECE ? text.len : PIECE;

    while (len < text.len && len > PIECE - 4 && (text.p[len] & 0xc0) == 0x80)
        len--;
    return len;
}

struct str
casemap_next(struct buf *out, struct str *text)
{
    size_t len = piece_len(*text);

    buf_reset(out);
    casemap_put(out, str_sub(*text, 0, len));
    *text = str_sub(*text, len, text->len);
    return buf_str(out);
}
