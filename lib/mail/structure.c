#include "mail/structure.h"

#include "base/pack.h"
#include "mail/structure_own.h"

static bool
take_size(struct str *from, size_t *value)
{
    int64_t n;

    if (!unpack_num(from, &n) || n < 0)
        return false;
    *value = (size_t)n;
    return true;
}

static bool
take_count(struct str *from, uint64_t *value)
{
    return take_size(from, value);
}

/* What stands before the parts. */
static bool
take_head(struct str *from, struct structure *s, struct str *envelope)
{
    size_t version, nul;

    if (!take_size(from, &version) || version != STRUCTURE_VERSION ||
        !take_size(from, &s->size) || !take_count(from, &s->bare) ||
        !take_size(from, &nul) || !unpack_text(from, envelope))
        return false;
    s->has_nul = nul != 0;
    return s->bare <= s->size;
}

static bool
take_part(struct str *from, const struct structure *s, size_t before,
          struct structure_part *p)
{
    size_t bits, depth, gap, header, body;

    if (!take_size(from, &bits) || !take_size(from, &depth) ||
        !take_size(from, &gap) || !take_size(from, &header) ||
        !take_size(from, &body) || !take_count(from, &p->header_bare) ||
        !take_count(from, &p->body_bare) || !take_count(from, &p->body_lines) ||
        !unpack_text(from, &p->fields) || !unpack_text(from, &p->extended))
        return false;
    if (depth > STRUCTURE_DEPTH_MAX || gap > s->size - before ||
        header > s->size - before - gap ||
        body > s->size - before - gap - header || p->header_bare > header ||
        p->body_bare > body || (bits & KIND_MASK) > STRUCTURE_MESSAGE ||
        (bits / KIND_ENCODING & KIND_ENCODING_MASK) > MIME_ENCODING_OTHER)
        return false;
    p->kind = (enum structure_kind)(bits & KIND_MASK);
    p->encoding =
        (enum mime_encoding)(bits / KIND_ENCODING & KIND_ENCODING_MASK);
    p->is_message = bits & KIND_MESSAGE;
    p->is_text = bits & KIND_TEXT;
    p->is_global = bits & KIND_GLOBAL;
    p->depth = (uint32_t)depth;
    p->header = before + gap;
    p->body = p->header + header;
    p->end = p->body + body;
    return true;
}

/* The tree that the depths say, and that it can be one: a message in a
 * message is its one part, only what has parts is followed by deeper ones. */
static bool
link_parts(struct structure *s)
{
    uint32_t open[STRUCTURE_DEPTH_MAX + 2] = {0}, depth = 0;

    for (uint32_t i = 0; i < s->count; i++) {
        struct structure_part *p = &s->parts[i], *before = p - 1;

        if (p->depth > depth || (i > 0 && p->depth == 0))
            return false;
        if (i > 0 && p->depth > before->depth && before->kind == STRUCTURE_LEAF)
            return false;
        if (i > 0 && before->kind == STRUCTURE_MESSAGE &&
            (p->depth != before->depth + 1 || !p->is_message))
            return false;
        if (p->is_message && i > 0 && before->kind != STRUCTURE_MESSAGE)
            return false;
        while (depth > p->depth)
            s->parts[open[--depth]].next = i;
        open[depth++] = i;
    }
    while (depth > 0)
        s->parts[open[--depth]].next = (uint32_t)s->count;
    return s->parts[s->count - 1].kind != STRUCTURE_MESSAGE;
}

bool
structure_read(struct arena *a, struct str kept, size_t size,
               struct structure *s)
{
    struct str envelope;
    size_t before = 0;

    *s = (struct structure){0};
    if (!take_head(&kept, s, &envelope) || s->size != size ||
        !take_size(&kept, &s->count) || s->count == 0 ||
        s->count > STRUCTURE_PARTS_MAX)
        return false;
    s->parts = arena_alloc(a, s->count * sizeof *s->parts);
    for (size_t i = 0; i < s->count; i++) {
        struct structure_part *p = &s->parts[i];

        if (!take_part(&kept, s, before, p) || p->is_message < (i == 0))
            return false;
        if (i == 0)
            p->envelope = envelope;
        else if (p->is_message && !unpack_text(&kept, &p->envelope))
            return false;
        before = p->body;
    }
    return unpack_text(&kept, &s->marks) && kept.len == 0 && link_parts(s);
}

bool
structure_summary(struct str kept, uint64_t *size, struct str *envelope)
{
    struct structure s;

    if (!take_head(&kept, &s, envelope))
        return false;
    *size = s.size + s.bare;
    return true;
}

/* ---- BODYSTRUCTURE ---- */

/* A multipart without parts: the grammar demands one. */
#define NO_PART                                                                \
    "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0"

static size_t put_part(const struct structure *s, size_t i, unsigned flags,
                       struct buf *out);

static void
put_multipart(const struct structure *s, const struct structure_part *p,
              unsigned flags, struct buf *out)
{
    size_t i = (size_t)(p - s->parts) + 1;

    if (i >= p->next) {
        buf_add(out, S(NO_PART));
        buf_add(out,
                flags & STRUCTURE_EXTENDED ? S(" NIL NIL NIL NIL)") : S(")"));
    }
    while (i < p->next)
        i = put_part(s, i, flags, out);
    buf_addc(out, ' ');
    buf_add(out, p->fields);
}

static void
put_leaf(const struct structure *s, const struct structure_part *p,
         unsigned flags, struct buf *out)
{
    bool message = p->kind == STRUCTURE_MESSAGE &&
                   (!p->is_global || flags & STRUCTURE_REV2);

    buf_add(out, p->fields);
    buf_fmt(out, " %zu", p->end - p->body + p->body_bare);
    if (message) {
        buf_addc(out, ' ');
        buf_add(out, p[1].envelope);
        buf_addc(out, ' ');
        put_part(s, (size_t)(p - s->parts) + 1, flags, out);
    }
    if (message || p->is_text)
        buf_fmt(out, " %zu", (size_t)p->body_lines);
}

/* The index behind the part. Depth is bounded when it is read. */
static size_t
put_part(const struct structure *s, size_t i, unsigned flags, struct buf *out)
{
    const struct structure_part *p = &s->parts[i];

    buf_addc(out, '(');
    if (p->kind == STRUCTURE_MULTIPART)
        put_multipart(s, p, flags, out);
    else
        put_leaf(s, p, flags, out);
    if (flags & STRUCTURE_EXTENDED) {
        buf_addc(out, ' ');
        buf_add(out, p->extended);
    }
    buf_addc(out, ')');
    return p->next;
}

void
structure_put_body(const struct structure *s, unsigned flags, struct buf *out)
{
    put_part(s, 0, flags, out);
}
