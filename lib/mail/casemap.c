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

struct matcher {
    struct str needle;
    struct buf window; /* what may begin the needle, then more */
    bool found;
};

struct matcher *
matcher_new(struct arena *a, struct str needle)
{
    struct matcher *m = arena_make(a, struct matcher);

    m->needle = casemap(a, needle);
    m->window = buf_in(a);
    matcher_reset(m);
    return m;
}

void
matcher_reset(struct matcher *m)
{
    buf_reset(&m->window);
    m->found = m->needle.len == 0;
}

/* Keep so much of the end as may begin the needle. */
static void
slide(struct matcher *m)
{
    size_t keep = m->needle.len - 1;

    if (m->window.len <= keep)
        return;
    memmove(m->window.p, m->window.p + m->window.len - keep, keep);
    m->window.len = keep;
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

bool
matcher_put(struct matcher *m, struct str text)
{
    while (!m->found && text.len > 0) {
        size_t len = piece_len(text);

        casemap_put(&m->window, str_sub(text, 0, len));
        text = str_sub(text, len, text.len);
        m->found = memmem(m->window.p, m->window.len, m->needle.p,
                          m->needle.len) != NULL;
        if (!m->found)
            slide(m);
    }
    return m->found;
}

bool
matcher_find(struct matcher *m, struct str text)
{
    matcher_reset(m);
    return matcher_put(m, text);
}
