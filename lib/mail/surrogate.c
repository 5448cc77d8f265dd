#include "mail/surrogate.h"

#include <string.h>

#include "base/utf8.h"
#include "mail/addrlist.h"
#include "mail/base64.h"
#include "mail/header.h"

#define NOBODY   "invalid@internationalized-address.invalid"
#define WORD_MAX ((size_t)36) /* bytes in a word, which has 75 (RFC 2047 2) */

/* How the words of a field end. */
struct way {
    const char *charset;
    const char *specials; /* beside blanks */
    bool quotes;          /* "..." is a word, */
    bool quoted;          /* and keeps its quotes: a parameter's value */
};

/* So much of a text that no character is cut in two. */
static size_t
word_len(struct str text)
{
    size_t len = text.len < WORD_MAX ? text.len : WORD_MAX;

    while (len > WORD_MAX / 2 && len < text.len &&
           ((unsigned char)text.p[len] & 0xc0) == 0x80)
        len--;
    return len;
}

static void
put_encoded(struct buf *out, const struct way *way, struct str text)
{
    const char *gap = "";

    while (text.len > 0) {
        size_t len = word_len(text);

        buf_fmt(out, "%s=?%s?B?", gap, way->charset);
        base64_encode(out, str_sub(text, 0, len));
        buf_add(out, S("?="));
        text = str_sub(text, len, text.len);
        gap = "\n ";
    }
}

/* ---- the words of a text */

/* "...", without its quotes and backslashes. */
static struct str
take_quoted(struct arena *a, struct str *rest)
{
    struct buf b = buf_in(a);
    size_t i = 1;

    for (; i < rest->len && rest->p[i] != '"'; i++) {
        if (rest->p[i] == '\\' && i + 1 < rest->len)
            i++;
        buf_addc(&b, rest->p[i]);
    }
    *rest = str_sub(*rest, i + 1, rest->len);
    return buf_str(&b);
}

static void
put_quoted(struct arena *a, struct buf *out, const struct way *way,
           struct str *rest)
{
    const char *start = rest->p;
    struct str text = take_quoted(a, rest);

    if (utf8_is_ascii(text)) {
        buf_add(out, (struct str){start, (size_t)(rest->p - start)});
        return;
    }
    if (way->quoted)
        buf_addc(out, '"');
    put_encoded(out, way, text);
    if (way->quoted)
        buf_addc(out, '"');
}

static bool
is_special(const struct way *way, char c)
{
    return (way->quotes && c == '"') || (c && strchr(way->specials, c));
}

static size_t
plain_len(const struct way *way, struct str text)
{
    size_t i = 0;

    while (i < text.len && !is_blank(text.p[i]) && !is_special(way, text.p[i]))
        i++;
    return i;
}

/* Blanks between two encoded words mean nothing, so those of the text are
 * encoded with the words on both sides. */
static size_t
run_len(const struct way *way, struct str text)
{
    size_t end = plain_len(way, text);

    for (size_t i = end; i < text.len && is_blank(text.p[i]);) {
        while (i < text.len && is_blank(text.p[i]))
            i++;
        struct str next = str_sub(text, i, text.len);
        size_t len = plain_len(way, next);

        if (len == 0 || utf8_is_ascii(str_sub(next, 0, len)))
            break;
        end = i = i + len;
    }
    return end;
}

static void
put_text(struct arena *a, struct buf *out, const struct way *way,
         struct str text)
{
    while (text.len > 0) {
        size_t len = plain_len(way, text);

        if (len == 0 && way->quotes && text.p[0] == '"') {
            put_quoted(a, out, way, &text);
            continue;
        }
        if (len > 0 && !utf8_is_ascii(str_sub(text, 0, len))) {
            len = run_len(way, text);
            put_encoded(out, way, str_sub(text, 0, len));
        } else {
            len = len > 0 ? len : 1;
            buf_add(out, str_sub(text, 0, len));
        }
        text = str_sub(text, len, text.len);
    }
}

/* ---- fields */

static enum rc
replace(void *self, struct arena *a, struct str addr, struct str *out,
        struct why *why)
{
    (void)self, (void)a, (void)why;
    *out = utf8_is_ascii(addr) ? addr : S(NOBODY);
    return OK;
}

static void
put_field(struct arena *a, struct buf *out, const struct header_field *f)
{
    struct str body = header_unfold(a, f->body);
    unsigned flags = header_flags(f->id);
    bool addresses = flags & (HEADER_SENDER | HEADER_RCPT);
    struct way way = {
        .charset = utf8_valid(body) ? "utf-8" : "unknown-8bit",
        .specials = flags & (HEADER_MIME | HEADER_SENDER | HEADER_RCPT)
                        ? "()<>,;:[]=\\"
                        : "",
        .quotes = flags & (HEADER_MIME | HEADER_SENDER | HEADER_RCPT),
        .quoted = flags & HEADER_MIME,
    };
    struct why why;

    if (addresses &&
        addrlist_rewrite(a, body, replace, NULL, &body, &why) != OK)
        body = S("");
    buf_fmt(out, "%.*s: ", STR(f->name));
    put_text(a, out, &way, body);
    buf_addc(out, '\n');
}

/* Lines that are no field: there is nothing to encode them as. */
static void
put_other(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        buf_addc(out, text.p[i] < 0 ? '?' : text.p[i]);
}

void
surrogate_put(struct arena *a, struct str header, struct buf *out)
{
    struct str rest = header;
    size_t done = 0;
    struct header_field f;

    while (header_scan(&rest, &f)) {
        size_t at = (size_t)(f.whole.p - header.p);

        put_other(out, str_sub(header, done, at - done));
        if (utf8_is_ascii(f.whole))
            buf_add(out, f.whole);
        else
            put_field(a, out, &f);
        done = at + f.whole.len;
    }
    put_other(out, str_sub(header, done, header.len));
}
