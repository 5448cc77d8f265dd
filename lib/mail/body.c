#include "mail/body.h"

#include "mail/charset.h"
#include "mail/header.h"

#define PIECE 8192

bool
body_is_known(const struct structure_part *p)
{
    return p->kind != STRUCTURE_LEAF || p->encoding != MIME_ENCODING_OTHER;
}

void
body_open(struct arena *a, struct str message, const struct structure *s,
          const struct structure_part *p, struct body *b)
{
    *b = (struct body){.run = section_body(message, s, p),
                       .in = buf_in(a),
                       .out = buf_in(a),
                       .text = buf_in(a)};
    b->run.nul = false;
    if (p->kind == STRUCTURE_LEAF)
        b->decoder.encoding = p->encoding;
}

void
body_open_message(struct arena *a, struct str message,
                  const struct structure *s, struct body *b)
{
    struct section all = {0};

    body_open(a, message, s, s->parts, b);
    b->decoder.encoding = MIME_BINARY;
    (void)section_find(a, message, s, &all, &b->run);
    b->run.nul = false;
}

struct str
body_param(struct arena *a, struct str message, const struct structure_part *p,
           struct str name)
{
    struct str header = str_sub(message, p->header, p->body - p->header);
    struct str param, value;
    struct header_field f;
    struct buf b = buf_in(a);

    while (header_scan(&header, &f)) {
        if (f.id != HEADER_ID_CONTENT_TYPE)
            continue;
        f.body = str_sub(f.body, 0, STRUCTURE_FIELD_MAX);
        mime_first(&f.body);
        while (mime_next(&f.body, &param, &value))
            if (str_ieq(param, name)) {
                mime_unquote(&b, value);
                return buf_str(&b);
            }
        break;
    }
    return S("");
}

void
body_open_text(struct arena *a, struct str message, const struct structure *s,
               const struct structure_part *p, struct converters *more,
               struct body *b)
{
    struct str charset = body_param(a, message, p, S("charset"));

    body_open(a, message, s, p, b);
    b->as = BODY_GUESS;

    /* What says that it is ASCII and is not, says nothing. */
    if (charset.len == 0 || str_ieq(charset, S("us-ascii")) ||
        str_ieq(charset, S("ascii")))
        return;
    b->converter = charset_open(a, more, charset);
    if (b->converter)
        b->as = BODY_TEXT;
}

/* Move what is left to the front. */
static void
keep(struct buf *b, struct str rest)
{
    memmove(b->p, rest.p, rest.len);
    b->len = rest.len;
}

/* Up to the last line end, or where there is none, to the last byte that ends
 * a character for sure: a piece of which it can be told what it is. */
static size_t
whole_lines(struct str s)
{
    size_t n = s.len;

    while (n > 0 && s.p[n - 1] != '\n')
        n--;
    for (n = n ? n : s.len; n > 0 && s.len - n < 4 && s.p[n - 1] < 0; n--)
        ;
    return n > 0 ? n : s.len;
}

static struct str
as_text(struct body *b)
{
    struct str rest = buf_str(&b->out);

    buf_reset(&b->text);
    if (b->as == BODY_TEXT) {
        b->converter->put(b->converter, &b->text, &rest, b->ended);
    } else if (rest.len > 0) {
        size_t len = b->ended ? rest.len : whole_lines(rest);

        charset_guess(&b->text, str_sub(rest, 0, len));
        rest = str_sub(rest, len, rest.len);
    }
    if (rest.len > 0)
        keep(&b->out, rest);
    else
        buf_reset(&b->out);
    return buf_str(&b->text);
}

void
body_close(struct body *b)
{
    if (b->converter)
        b->converter->close(b->converter);
    b->converter = NULL;
    b->ended = true;
    b->run.size = 0;
}

bool
body_next(struct body *b, struct str *piece)
{
    *piece = (struct str){0};
    while (!b->ended && piece->len == 0) {
        size_t n = run_read(&b->run, buf_space(&b->in, PIECE), PIECE);

        if (b->as == BODY_BYTES)
            buf_reset(&b->out);
        decode_put(&b->decoder, (struct str){b->in.p, n}, &b->out);
        b->ended = n == 0;
        if (b->ended)
            decode_end(&b->decoder, &b->out);
        *piece = b->as == BODY_BYTES ? buf_str(&b->out) : as_text(b);
    }
    if (piece->len == 0)
        body_close(b);
    return piece->len > 0;
}

bool
body_known_size(const struct body *b, uint64_t *size)
{
    if (b->decoder.encoding >= MIME_QP &&
        b->decoder.encoding != MIME_ENCODING_OTHER)
        return false;
    *size = b->run.size;
    return true;
}
