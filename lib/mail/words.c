#include "mail/words.h"

#include "base/buf.h"
#include "mail/base64.h"
#include "mail/charset.h"
#include "mail/header.h"
#include "mail/qp.h"

/* Longest word taken for one: RFC 2047 says 75; others are more generous. */
#define WORD_MAX 1000

struct word {
    struct str charset, text;
    char encoding;
    size_t len; /* of the whole */
};

/* "=?charset*language?q?text?=" at the front of s. */
static bool
find_word(struct str s, struct word *w)
{
    struct str rest = str_sub(s, 2, WORD_MAX), charset, encoding;

    if (!str_starts(s, S("=?")) || !str_cut(&rest, '?', &charset) ||
        !str_cut(&rest, '?', &encoding) || encoding.len != 1)
        return false;

    ssize_t end = str_search(rest, S("?="));

    str_cut(&charset, '*', &w->charset);
    if (end < 0 || w->charset.len == 0)
        return false;
    w->text = str_sub(rest, 0, (size_t)end);
    w->encoding = to_lower(encoding.p[0]);
    w->len = (size_t)(w->text.p + w->text.len + 2 - s.p);
    for (size_t i = 0; i < w->len; i++)
        if (is_space(s.p[i]))
            return false;
    return w->encoding == 'q' || w->encoding == 'b';
}

static void
add_bytes(struct buf *out, const struct word *w)
{
    if (w->encoding == 'q')
        qp_decode(out, w->text, true);
    else
        base64_decode_mail(out, w->text);
}

/* The word as UTF-8; false where its character set is not known. */
static bool
decode_word(struct buf *out, const struct word *w)
{
    struct buf bytes = buf_in(out->arena);

    add_bytes(&bytes, w);
    return charset_to_utf8(out, w->charset, buf_str(&bytes));
}

struct str
words_decode(struct arena *a, struct str text)
{
    struct buf out = buf_in(a);
    bool after_word = false;
    ssize_t at = str_search(text, S("=?"));

    if (at < 0)
        return text;
    for (; at >= 0; at = str_search(text, S("=?"))) {
        struct str lead = str_sub(text, 0, (size_t)at);
        struct buf plain = buf_in(a);
        struct word w;

        text = str_sub(text, lead.len, text.len);

        bool word = find_word(text, &w) && decode_word(&plain, &w);

        if (!(word && after_word && str_trim(lead).len == 0))
            buf_add(&out, lead);
        buf_add(&out, word ? buf_str(&plain) : S("=?"));
        text = str_sub(text, word ? w.len : 2, text.len);
        after_word = word;
    }
    buf_add(&out, text);
    return buf_str(&out);
}

/* ---- for readers ---- */

/* Words of one character set, one after another, are one text: senders cut it
 * anywhere, against RFC 2047 5. */
struct reading {
    struct buf out;
    struct converters *more;
    struct str charset; /* of the words that are gathered */
    struct str raw;     /* as they stand there */
    struct buf bytes;
};

static void
end_words(struct reading *r)
{
    if (r->raw.len == 0)
        return;
    if (!charset_convert(&r->out, r->more, r->charset, buf_str(&r->bytes)))
        charset_guess(&r->out, r->raw);
    r->raw = (struct str){0};
    buf_reset(&r->bytes);
}

static void
take_word(struct reading *r, struct str whole, const struct word *w)
{
    if (r->raw.len == 0) {
        r->charset = w->charset;
        r->raw = whole;
    }
    r->raw.len = (size_t)(whole.p + whole.len - r->raw.p);
    add_bytes(&r->bytes, w);
}

struct str
words_read(struct arena *a, struct converters *more, struct str text)
{
    struct reading r = {.out = buf_in(a), .more = more, .bytes = buf_in(a)};
    ssize_t at;

    while ((at = str_search(text, S("=?"))) >= 0) {
        struct str lead = str_sub(text, 0, (size_t)at);
        struct word w;

        text = str_sub(text, lead.len, text.len);

        bool word = find_word(text, &w);
        bool behind = r.raw.len > 0 && word && str_trim(lead).len == 0;

        if (!behind || !str_ieq(w.charset, r.charset))
            end_words(&r);
        if (!behind)
            charset_guess(&r.out, lead);
        if (word)
            take_word(&r, str_sub(text, 0, w.len), &w);
        else
            buf_add(&r.out, S("=?"));
        text = str_sub(text, word ? w.len : 2, text.len);
    }
    end_words(&r);
    charset_guess(&r.out, text);
    return buf_str(&r.out);
}

struct str
words_read_field(struct arena *a, struct converters *more, struct str body)
{
    return words_read(a, more, header_unfold(a, body));
}
