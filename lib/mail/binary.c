#include "mail/binary.h"

#include <string.h>

#include "mail/base64.h"
#include "mail/header.h"

#define CHUNK ((size_t)57 * 1024) /* whole lines of base64 */

void
binary_begin(struct binary *b, struct arena *a, struct str message)
{
    *b = (struct binary){
        .good = true,
        .message = message,
        .maker = structure_begin(a, message),
        .out = buf_in(a),
    };
}

void
binary_end(struct binary *b)
{
    structure_drop(b->maker);
    b->maker = NULL;
}

static void
find_part(struct binary *b)
{
    while (b->part < b->s.count && b->s.parts[b->part].encoding != MIME_BINARY)
        b->part++;
}

static void
make_structure(struct binary *b)
{
    struct str kept;

    if (!structure_step(b->maker, &kept))
        return;
    b->good = structure_read(b->out.arena, kept, b->message.len, &b->s) &&
              b->s.count < STRUCTURE_PARTS_MAX;
    binary_end(b);
    find_part(b);
}

/* Lines of base64. The last line end is left out where a boundary brings its
 * own. */
static struct str
next_lines(struct binary *b)
{
    buf_reset(&b->out);
    base64_encode_lines(&b->out, str_sub(b->body, 0, CHUNK));
    b->body = str_sub(b->body, CHUNK, b->body.len);
    if (b->body.len == 0 && !b->at_end)
        b->out.len--;
    return buf_str(&b->out);
}

/* Of what passes as it is. */
static struct str
pass(struct binary *b, size_t end)
{
    size_t len = end - b->done < CHUNK ? end - b->done : CHUNK;
    struct str piece = str_sub(b->message, b->done, len);

    b->done += len;
    return piece;
}

/* A header with another label; lines in it that are no field stay. */
static void
put_header(struct buf *out, struct str header, struct str label)
{
    struct str rest = header;
    size_t done = 0;
    struct header_field f;

    while (header_scan(&rest, &f)) {
        size_t at = (size_t)(f.whole.p - header.p);

        if (f.id != HEADER_ID_CONTENT_ENCODING)
            continue;
        buf_add(out, str_sub(header, done, at - done));
        buf_add(out, S("Content-Transfer-Encoding: "));
        buf_add(out, label);
        buf_add(out, S("\r\n"));
        done = at + f.whole.len;
    }
    buf_add(out, str_sub(header, done, header.len));
}

/* The header of a part that is binary. What is in a part with others follows as
 * those. */
static struct str
next_header(struct binary *b)
{
    const struct structure_part *p = &b->s.parts[b->part++];
    bool leaf = p->kind == STRUCTURE_LEAF;

    buf_reset(&b->out);
    put_header(&b->out, str_sub(b->message, p->header, p->body - p->header),
               leaf ? S("base64") : S("8bit"));
    b->done = p->body;
    if (leaf) {
        b->body = str_sub(b->message, p->body, p->end - p->body);
        b->at_end = p->end == b->message.len;
        b->done = p->end;
    }
    find_part(b);
    return buf_str(&b->out);
}

bool
binary_next(struct binary *b, struct str *piece)
{
    size_t end;

    *piece = S("");
    if (b->maker) {
        make_structure(b);
        return b->good;
    }
    if (!b->good)
        return false;
    if (b->body.len > 0) {
        *piece = next_lines(b);
        return true;
    }
    end = b->part < b->s.count ? b->s.parts[b->part].header : b->message.len;
    if (b->done < end)
        *piece = pass(b, end);
    else if (b->part < b->s.count)
        *piece = next_header(b);
    else
        return false;
    b->good = memchr(piece->p, '\0', piece->len) == NULL;
    return b->good;
}
