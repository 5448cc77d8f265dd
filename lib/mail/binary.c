#include "mail/binary.h"

#include <string.h>

#include "mail/base64.h"
#include "mail/header.h"
#include "mail/structure.h"

#define CHUNK ((size_t)57 * 1024) /* whole lines of base64 */

struct writer {
    struct buf lines;
    binary_out *out;
    void *self;
    bool has_nul;
};

static void
put(struct writer *w, struct str bytes)
{
    if (bytes.len == 0)
        return;
    w->has_nul |= memchr(bytes.p, '\0', bytes.len) != NULL;
    w->out(w->self, bytes);
}

/* A header with another label; lines in it that are no field stay. */
static void
put_header(struct writer *w, struct str header, struct str label)
{
    struct str rest = header;
    size_t done = 0;
    struct header_field f;

    while (header_scan(&rest, &f)) {
        size_t at = (size_t)(f.whole.p - header.p);

        if (f.id != HEADER_ID_CONTENT_ENCODING)
            continue;
        put(w, str_sub(header, done, at - done));
        put(w, S("Content-Transfer-Encoding: "));
        put(w, label);
        put(w, S("\r\n"));
        done = at + f.whole.len;
    }
    put(w, str_sub(header, done, header.len));
}

/* The last line end is left out where a boundary brings its own. */
static void
put_base64(struct writer *w, struct str body, bool is_last)
{
    while (body.len > 0) {
        buf_reset(&w->lines);
        base64_encode_lines(&w->lines, str_sub(body, 0, CHUNK));
        body = str_sub(body, CHUNK, body.len);
        if (body.len == 0 && !is_last)
            w->lines.len--;
        put(w, buf_str(&w->lines));
    }
}

bool
binary_encode(struct arena *a, struct str message, binary_out *out, void *self)
{
    struct writer w = {.lines = buf_in(a), .out = out, .self = self};
    struct structure s;
    size_t done = 0;

    if (!structure_read(a, structure_make(a, message), message.len, &s) ||
        s.count >= STRUCTURE_PARTS_MAX)
        return false;
    for (size_t i = 0; i < s.count; i++) {
        const struct structure_part *p = &s.parts[i];
        bool leaf = p->kind == STRUCTURE_LEAF;

        if (p->encoding != MIME_BINARY)
            continue;
        put(&w, str_sub(message, done, p->header - done));
        put_header(&w, str_sub(message, p->header, p->body - p->header),
                   leaf ? S("base64") : S("8bit"));
        done = p->body;
        if (!leaf)
            continue;
        put_base64(&w, str_sub(message, p->body, p->end - p->body),
                   p->end == message.len);
        done = p->end;
    }
    put(&w, str_sub(message, done, message.len));
    return !w.has_nul;
}
