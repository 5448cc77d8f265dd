/* Texts of other character sets, in pieces: a line that names one, then text.
 * What comes out is UTF-8. */
#include "sys/charsets.h"
#include "base/utf8.h"
#include "fuzz/fuzz.h"
#include "mail/charset.h"
#include "mail/words.h"

static void
convert(struct arena *a, struct converters *more, struct str name,
        struct str text, size_t piece)
{
    struct converter *c = charset_open(a, more, name);
    struct buf out = buf_in(a), left = buf_in(a);

    if (c == NULL)
        return;
    for (size_t at = 0; at < text.len; at += piece) {
        struct str rest;

        buf_add(&left, str_sub(text, at, piece));
        rest = buf_str(&left);
        c->put(c, &out, &rest, at + piece >= text.len);
        memmove(left.p, rest.p, rest.len);
        left.len = rest.len;
    }
    c->close(c);
    must(text.len == 0 || left.len == 0);
    must(utf8_valid(buf_str(&out)));
}

static void
fuzz(struct arena *a, struct str in)
{
    struct converters *more = charsets_new(a);
    struct str name, text = in;

    str_cut(&text, '\n', &name);
    convert(a, more, name, text, 3);
    convert(a, more, name, text, text.len + 1);
    must(utf8_valid(words_read(a, more, in)));
    charsets_free(more);
}

FUZZ(32 << 20)
