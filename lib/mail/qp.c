#include "mail/qp.h"

/* Room for the "=" of a soft line break in 76. */
#define LINE 75

static void
put(struct qp *q, struct buf *out, char c, bool escape)
{
    size_t len = escape ? 3 : 1;

    if (q->column + len > LINE) {
        buf_add(out, S("=\n"));
        q->column = 0;
    }
    if (escape)
        buf_fmt(out, "=%02X", (unsigned char)c);
    else
        buf_addc(out, c);
    q->column += len;
}

static void
flush_blank(struct qp *q, struct buf *out, bool escape)
{
    if (q->blank)
        put(q, out, q->blank, escape);
    q->blank = '\0';
}

static bool
is_plain(char c)
{
    return c >= '!' && c <= '~' && c != '=';
}

void
qp_encode(struct qp *q, struct str in, struct buf *out)
{
    for (size_t i = 0; i < in.len; i++) {
        char c = in.p[i];

        flush_blank(q, out, c == '\n');
        if (c == '\n') {
            buf_addc(out, c);
            q->column = 0;
        } else if (is_blank(c)) {
            q->blank = c;
        } else {
            put(q, out, c, !is_plain(c));
        }
    }
}

void
qp_encode_end(struct qp *q, struct buf *out)
{
    flush_blank(q, out, true);
    *q = (struct qp){0};
}

/* A line without its end; the "=" of broken escapes is text. */
static void
decode_text(struct buf *out, struct str s, bool word)
{
    for (size_t i = 0; i < s.len; i++) {
        uint64_t byte;

        if (s.p[i] == '=' && s.len - i > 2 &&
            str_hex(str_sub(s, i + 1, 2), &byte)) {
            buf_addc(out, (char)byte);
            i += 2;
        } else {
            buf_addc(out, word && s.p[i] == '_' ? ' ' : s.p[i]);
        }
    }
}

void
qp_decode(struct buf *out, struct str in, bool word)
{
    bool more = true;

    while (more) {
        struct str line;

        more = str_cut(&in, '\n', &line);
        while (line.len > 0 && is_space(line.p[line.len - 1]))
            line.len--;

        bool soft = line.len > 0 && line.p[line.len - 1] == '=';

        decode_text(out, str_sub(line, 0, line.len - soft), word);
        if (more && !soft)
            buf_addc(out, '\n');
    }
}
