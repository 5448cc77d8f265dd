#include "base/pack.h"
#include "mail/imap_text.h"
#include "mail/mime_walk.h"
#include "mail/structure.h"
#include "mail/structure_own.h"
#include "mail/structure_text.h"

/* Of a step: what takes about a millisecond. */
#define STEP_BYTES ((size_t)1 << 20)
#define STEP_LINES 10000

/* A part in the making; texts are places in `texts`. */
struct made {
    unsigned bits;
    uint32_t depth;
    size_t header, body, end;
    uint64_t header_bare, header_lines, body_bare, body_lines; /* first what
                        stands before them, in the end what is in them */
    size_t fields, extended, envelope, texts_end;
};

/* A part that has not ended. */
struct open_part {
    size_t made;
    struct str boundary; /* empty where it has none, or was closed */
    bool digest;         /* its parts are messages by default */
};

/* Where a line begins or ends, and what stands before that. */
struct place {
    size_t at;
    uint64_t lines, bare;
};

struct structure_maker {
    struct arena *arena;
    struct str in;
    struct place line;   /* where it begins */
    struct place before; /* the end of the one before it, without line end */

    struct made *parts;
    size_t count, cap;
    struct open_part open[STRUCTURE_DEPTH_MAX + 1];
    size_t depth;      /* how many are open */
    size_t boundaries; /* how many of them have one */

    bool in_header; /* of the newest part */
    size_t field;   /* where its newest field begins */
    bool has_field;
    struct texts header;

    struct buf texts;
    struct buf marks;
    size_t next_mark;
};

static struct made *
newest(struct structure_maker *m)
{
    return &m->parts[m->count - 1];
}

static void
begin_part(struct structure_maker *m, bool is_message, struct place where)
{
    if (m->count == m->cap) {
        size_t cap = m->cap ? m->cap * 2 : 8;

        m->parts = arena_grow(m->arena, m->parts, m->cap * sizeof *m->parts,
                              cap * sizeof *m->parts);
        m->cap = cap;
    }
    m->parts[m->count++] = (struct made){.bits = is_message ? KIND_MESSAGE : 0,
                                         .depth = (uint32_t)m->depth,
                                         .header = where.at,
                                         .header_bare = where.bare};
    m->open[m->depth++] = (struct open_part){.made = m->count - 1};
    m->in_header = true;
    m->has_field = false;
    texts_reset(&m->header);
}

/* ---- the header of a part is over ---- */

static struct str
boundary_of(struct structure_maker *m, const struct texts_type *type)
{
    struct str rest = type->params, name, value;
    struct buf b = buf_in(m->arena);

    while (mime_next(&rest, &name, &value))
        if (str_ieq(name, S("boundary"))) {
            mime_unquote(&b, str_sub(value, 0, 2 * MIME_BOUNDARY_MAX));
            break;
        }
    return b.len <= MIME_BOUNDARY_MAX ? buf_str(&b) : S("");
}

static enum structure_kind
kind_of(const struct texts_type *type)
{
    if (str_ieq(type->type, S("multipart")))
        return STRUCTURE_MULTIPART;
    if (str_ieq(type->type, S("message")) &&
        (str_ieq(type->subtype, S("rfc822")) ||
         str_ieq(type->subtype, S("global"))))
        return STRUCTURE_MESSAGE;
    return STRUCTURE_LEAF;
}

/* What would have parts, and may not have them any more, is just bytes: its
 * type would make readers expect them. */
static enum structure_kind
limit_kind(const struct structure_maker *m, struct texts_type *type)
{
    enum structure_kind kind = kind_of(type);

    if (kind == STRUCTURE_LEAF ||
        (m->depth <= STRUCTURE_DEPTH_MAX && m->count < STRUCTURE_PARTS_MAX))
        return kind;
    *type = (struct texts_type){S("application"), S("octet-stream"), {0}};
    return STRUCTURE_LEAF;
}

static void
put_texts(struct structure_maker *m, struct made *p,
          const struct texts_type *type)
{
    struct buf *out = &m->texts;
    bool room = out->len < STRUCTURE_TEXTS_MAX;
    struct texts none = {.scratch = m->header.scratch};
    struct texts_type bare = {type->type, type->subtype, {0}};
    const struct texts *t = room ? &m->header : &none;

    type = room ? type : &bare;
    p->fields = out->len;
    if ((p->bits & KIND_MASK) == STRUCTURE_MULTIPART) {
        imap_put_string(out, type->subtype);
        p->extended = out->len;
        texts_put_multipart_extended(t, type, out);
    } else {
        texts_put_leaf(t, type, out);
        p->extended = out->len;
        texts_put_leaf_extended(t, out);
    }
    p->envelope = out->len;
    if (p->bits & KIND_MESSAGE)
        texts_put_envelope(t, out);
    p->texts_end = out->len;
}

static void
end_header(struct structure_maker *m, struct place where)
{
    struct made *p = newest(m);
    struct open_part *o = &m->open[m->depth - 1];
    bool in_digest = m->depth > 1 && m->open[m->depth - 2].digest;
    struct texts_type type = texts_type(&m->header, in_digest);
    enum structure_kind kind = limit_kind(m, &type);
    enum mime_encoding encoding = mime_encoding(m->header.encoding);

    p->bits |= (unsigned)kind | (unsigned)encoding * KIND_ENCODING;
    if (str_ieq(type.type, S("text")))
        p->bits |= KIND_TEXT;
    if (kind == STRUCTURE_MESSAGE && str_ieq(type.subtype, S("global")))
        p->bits |= KIND_GLOBAL;
    p->body = where.at;
    p->header_bare = where.bare - p->header_bare;
    p->body_bare = where.bare;
    p->body_lines = where.lines;
    put_texts(m, p, &type);
    m->in_header = false;
    if (kind == STRUCTURE_MULTIPART) {
        o->boundary = boundary_of(m, &type);
        o->digest = str_ieq(type.subtype, S("digest"));
        m->boundaries += o->boundary.len > 0;
    } else if (kind == STRUCTURE_MESSAGE) {
        begin_part(m, true, where);
    }
}

/* ---- boundaries ---- */

/* The innermost part ends, if it can before the line end that belongs to a
 * boundary. */
static void
end_part(struct structure_maker *m, struct place where)
{
    struct open_part *o = &m->open[--m->depth];
    struct made *p = &m->parts[o->made];
    bool before = where.at < p->body;

    p->end = before ? p->body : where.at;
    p->body_bare = before ? 0 : where.bare - p->body_bare;
    p->body_lines = before ? 0 : where.lines - p->body_lines;
    m->boundaries -= o->boundary.len > 0;
}

static void
take_field(struct structure_maker *m, size_t end)
{
    struct str rest = str_sub(m->in, m->field, end - m->field);
    struct header_field f;

    if (m->has_field && header_next(&rest, &f))
        texts_take(&m->header, &f);
    m->has_field = false;
}

/* All parts within that of open[level] end. */
static void
end_parts(struct structure_maker *m, size_t level, struct place where)
{
    while (m->in_header) {
        bool before = where.at < newest(m)->header;

        take_field(m, m->line.at);
        end_header(m, before ? m->line : where);
    }
    while (m->depth > level + 1)
        end_part(m, where);
}

/* Is the line "--boundary" of an open multipart? */
static bool
find_boundary(const struct structure_maker *m, struct str line, size_t *level,
              bool *closes)
{
    if (m->boundaries == 0 || !str_skip(&line, S("--")))
        return false;
    for (size_t i = m->depth; i-- > 0;) {
        struct str rest = line;

        if (m->open[i].boundary.len == 0 ||
            !str_skip(&rest, m->open[i].boundary))
            continue;
        *closes = str_skip(&rest, S("--"));
        *level = i;
        if (str_trim(rest).len == 0)
            return true;
    }
    return false;
}

static void
next_line(struct structure_maker *m, size_t len)
{
    const char *p = m->in.p + m->line.at;
    bool lf = p[len - 1] == '\n';
    bool cr = lf && len > 1 && p[len - 2] == '\r';
    size_t next = m->line.at + len;

    for (; m->next_mark <= next; m->next_mark += MARK_STEP) {
        uint64_t n = m->line.bare + (m->next_mark == next && lf && !cr);

        for (int i = 0; i < 4; i++)
            buf_addc(&m->marks, (char)(n >> 8 * i & 255));
    }
    m->before = m->line;
    m->before.at = next - lf - cr;
    m->line.at = next;
    m->line.lines += lf;
    m->line.bare += lf && !cr;
}

static void
take_boundary(struct structure_maker *m, size_t len, size_t level, bool closes)
{
    end_parts(m, level, m->before);
    next_line(m, len);
    if (!closes) {
        begin_part(m, false, m->line);
        return;
    }
    m->open[level].boundary.len = 0;
    m->boundaries--;
}

/* ---- lines ---- */

static void
take_header_line(struct structure_maker *m, struct str line)
{
    size_t at = m->line.at;
    bool empty = str_eq(line, S("\n")) || str_eq(line, S("\r\n"));

    if (m->has_field && is_blank(line.p[0])) {
        next_line(m, line.len);
        return;
    }
    take_field(m, at);
    m->field = at;
    m->has_field = !empty && !is_blank(line.p[0]);
    next_line(m, line.len);
    if (empty)
        end_header(m, m->line);
}

static void
take_line(struct structure_maker *m)
{
    struct str rest = str_sub(m->in, m->line.at, m->in.len), line = rest;
    const char *lf = memchr(rest.p, '\n', rest.len);
    size_t level;
    bool closes;

    if (lf)
        line.len = (size_t)(lf - rest.p) + 1;
    if (rest.p[0] == '-' && find_boundary(m, line, &level, &closes) &&
        (closes || m->count < STRUCTURE_PARTS_MAX))
        take_boundary(m, line.len, level, closes);
    else if (m->in_header)
        take_header_line(m, line);
    else
        next_line(m, line.len);
}

/* ---- the whole ---- */

static struct str
view(const struct structure_maker *m, size_t from, size_t to)
{
    return (struct str){m->texts.p + from, to - from};
}

static void
pack_part(const struct structure_maker *m, const struct made *p, size_t before,
          bool root, struct buf *out)
{
    pack_num(out, p->bits);
    pack_num(out, p->depth);
    pack_num(out, (int64_t)(p->header - before));
    pack_num(out, (int64_t)(p->body - p->header));
    pack_num(out, (int64_t)(p->end - p->body));
    pack_num(out, (int64_t)p->header_bare);
    pack_num(out, (int64_t)p->body_bare);
    pack_num(out, (int64_t)p->body_lines);
    pack_text(out, view(m, p->fields, p->extended));
    pack_text(out, view(m, p->extended, p->envelope));
    if (p->bits & KIND_MESSAGE && !root)
        pack_text(out, view(m, p->envelope, p->texts_end));
}

static struct str
pack(const struct structure_maker *m)
{
    struct buf out = buf_in(m->arena);
    const struct made *root = m->parts;
    bool nul = m->in.len > 0 && memchr(m->in.p, '\0', m->in.len);
    struct str marks = {m->marks.p, m->line.bare ? m->marks.len : 0};
    size_t before = 0;

    buf_space(&out, m->texts.len + m->count * 24 + m->marks.len + 64);
    pack_num(&out, STRUCTURE_VERSION);
    pack_num(&out, (int64_t)m->in.len);
    pack_num(&out, (int64_t)m->line.bare);
    pack_num(&out, nul);
    pack_text(&out, view(m, root->envelope, root->texts_end));
    pack_num(&out, (int64_t)m->count);
    for (size_t i = 0; i < m->count; i++) {
        pack_part(m, &m->parts[i], before, i == 0, &out);
        before = m->parts[i].body;
    }
    pack_text(&out, marks);
    return buf_str(&out);
}

struct structure_maker *
structure_begin(struct arena *a, struct str message)
{
    struct structure_maker *m = arena_make(a, struct structure_maker);

    *m = (struct structure_maker){
        .arena = a,
        .in = message,
        .header.scratch = arena_new("structure", (size_t)64 << 20),
        .texts = buf_in(a),
        .marks = buf_in(a),
        .next_mark = MARK_STEP,
    };
    for (size_t i = 0; i < FIELD_LISTS; i++)
        m->header.lists[i] = buf_in(a);
    begin_part(m, true, m->line);
    return m;
}

bool
structure_step(struct structure_maker *m, struct str *made)
{
    size_t end = m->line.at + STEP_BYTES;

    for (size_t n = 0; m->line.at < m->in.len; n++) {
        if (n >= STEP_LINES || m->line.at >= end)
            return false;
        take_line(m);
    }
    end_parts(m, 0, m->line);
    end_part(m, m->line);
    *made = pack(m);
    return true;
}

void
structure_drop(struct structure_maker *m)
{
    if (m)
        arena_free(m->header.scratch);
}

struct str
structure_make(struct arena *a, struct str message)
{
    struct structure_maker *m = structure_begin(a, message);
    struct str made;

    while (!structure_step(m, &made))
        ;
    structure_drop(m);
    return made;
}
