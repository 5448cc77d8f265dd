#include "mail/section.h"

#include "mail/header.h"
#include "mail/structure_own.h"

/* ---- which part ---- */

/* Where the numbers of a section have led. */
struct place {
    const struct structure_part *part;
    bool entered; /* as a message: the next number counts its parts, or is 1
                     for its body */
};

/* Part n of those in a multipart. */
static const struct structure_part *
child(const struct structure *s, const struct structure_part *p, uint32_t n)
{
    uint32_t i = (uint32_t)(p - s->parts) + 1;

    for (; n > 1 && i < p->next; n--)
        i = s->parts[i].next;
    return i < p->next ? &s->parts[i] : NULL;
}

static bool
descend(const struct structure *s, struct place *at, uint32_t n)
{
    /* What is in a message in a message is numbered as if it were here. */
    if (!at->entered && at->part->kind == STRUCTURE_MESSAGE)
        *at = (struct place){at->part + 1, true};
    if (at->part->kind == STRUCTURE_MULTIPART)
        at->part = child(s, at->part, n);
    else if (!at->entered || n != 1)
        at->part = NULL;
    at->entered = false;
    return at->part != NULL;
}

const struct structure_part *
section_part(const struct structure *s, const uint32_t *numbers, size_t depth)
{
    struct place at = {s->parts, true};

    for (size_t i = 0; i < depth; i++)
        if (!descend(s, &at, numbers[i]))
            return NULL;
    return at.part;
}

/* ---- its bytes ---- */

static struct run
text_run(struct str bytes, uint64_t bare, bool nul)
{
    return (struct run){.size = bytes.len + bare,
                        .bytes = bytes,
                        .convert = bare > 0,
                        .nul = nul};
}

static struct run
bytes_run(const struct structure *s, struct str bytes, uint64_t bare)
{
    return text_run(bytes, bare, s->has_nul);
}

static struct run
header_run(struct str message, const struct structure *s,
           const struct structure_part *p)
{
    return bytes_run(s, str_sub(message, p->header, p->body - p->header),
                     p->header_bare);
}

struct run
section_body(struct str message, const struct structure *s,
             const struct structure_part *p)
{
    return bytes_run(s, str_sub(message, p->body, p->end - p->body),
                     p->body_bare);
}

/* ---- selected fields ---- */

/* Room for the copy of such a header is taken at once: three times as much is
 * taken by one that grows. */
#define LONG_HEADER ((size_t)1 << 20)

static bool
is_selected(const struct section *section, struct str name)
{
    for (size_t i = 0; i < section->count; i++)
        if (str_ieq(section->fields[i], name))
            return section->text == SECTION_FIELDS;
    return section->text == SECTION_FIELDS_NOT;
}

static size_t
line_len(struct str s)
{
    const char *lf = s.len ? memchr(s.p, '\n', s.len) : NULL;

    return lf ? (size_t)(lf - s.p) + 1 : s.len;
}

/* The next field, with its folded lines, or a line that is none. */
static struct str
next_lines(struct str *header, struct str *name)
{
    struct str rest = *header, lines;
    struct header_field f;

    *name = (struct str){0};
    if (header_next(&rest, &f)) {
        *name = f.name;
        lines = f.whole;
    } else {
        lines = str_sub(rest, 0, line_len(rest));
    }
    *header = str_sub(*header, lines.len, header->len);
    return lines;
}

static uint64_t
count_bare(struct str s)
{
    uint64_t bare = 0;

    for (size_t at = 0, len; at < s.len; at += len) {
        len = line_len(str_sub(s, at, s.len));
        bare +=
            s.p[at + len - 1] == '\n' && (len < 2 || s.p[at + len - 2] != '\r');
    }
    return bare;
}

/* RFC 9051 6.4.5: with the empty line, also where the header had none. Names
 * that are listed make no field of a line that is none. */
struct run
section_fields(struct arena *a, struct str header,
               const struct section *section)
{
    struct str name;
    struct buf b = buf_in(a);

    if (header.len >= LONG_HEADER)
        (void)buf_space(&b, header.len + 4);
    while (header.len > 0) {
        struct str lines = next_lines(&header, &name);

        if (str_eq(lines, S("\n")) || str_eq(lines, S("\r\n")))
            break;
        if (name.p ? is_selected(section, name)
                   : section->text == SECTION_FIELDS_NOT)
            buf_add(&b, lines);
    }
    if (b.len > 0 && b.p[b.len - 1] != '\n')
        buf_add(&b, S("\r\n"));
    buf_add(&b, S("\r\n"));
    return text_run(buf_str(&b), count_bare(buf_str(&b)), true);
}

bool
section_find(struct arena *a, struct str message, const struct structure *s,
             const struct section *section, struct run *run)
{
    const struct structure_part *p =
        section_part(s, section->numbers, section->depth);
    bool whole = section->depth == 0;

    *run = (struct run){0};
    if (p == NULL)
        return false;
    if (section->text == SECTION_MIME) {
        *run = header_run(message, s, p);
        return true;
    }
    if (section->text == SECTION_ALL) {
        *run = whole ? bytes_run(s, message, s->bare)
                     : section_body(message, s, p);
        return true;
    }
    /* The rest is about messages: this one, or one in it. */
    if (!whole && p->kind != STRUCTURE_MESSAGE)
        return false;
    p += !whole;
    if (section->text == SECTION_HEADER)
        *run = header_run(message, s, p);
    else if (section->text == SECTION_TEXT)
        *run = section_body(message, s, p);
    else
        *run = section_fields(
            a, str_sub(message, p->header, p->body - p->header), section);
    return true;
}

/* ---- runs ---- */

/* No span is longer, so nobody who copies one needs more room. */
#define SPAN_MAX ((size_t)65536)

/* The bytes up to the next one that is sent as another. */
static size_t
plain_len(const struct run *r, size_t limit)
{
    const char *p = r->bytes.p, *lf = p, *nul;
    const char *end = p + (r->bytes.len < limit ? r->bytes.len : limit);

    while (r->convert && lf < end) {
        lf = memchr(lf, '\n', (size_t)(end - lf));
        if (lf == NULL)
            break;
        if (lf == p ? !r->after_cr : lf[-1] != '\r') {
            end = lf;
            break;
        }
        lf++;
    }
    nul = r->nul && end > p ? memchr(p, '\0', (size_t)(end - p)) : NULL;
    return (size_t)((nul ? nul : end) - p);
}

/* What is sent for the next byte, which is LF or NUL, or is not there. */
static struct str
replacement(struct run *r, size_t limit)
{
    /* The message has become shorter, or what is kept of it is wrong: what was
     * announced is sent, or the client would take what follows for it. */
    if (r->bytes.len == 0)
        return S("                                ");
    if (r->bytes.p[0] == '\n' && limit == 1 && !r->owes_lf) {
        r->owes_lf = true;
        return S("\r");
    }

    struct str sent = r->owes_lf              ? S("\n")
                      : r->bytes.p[0] == '\0' ? S("\x80")
                                              : S("\r\n");

    r->owes_lf = false;
    r->after_cr = false;
    r->bytes = str_sub(r->bytes, 1, r->bytes.len);
    return sent;
}

/* A span of at most `limit` bytes, which is not 0. */
static bool
next_span(struct run *r, size_t limit, struct str *span)
{
    if (limit > r->size)
        limit = (size_t)r->size;
    *span = (struct str){0};
    if (limit == 0)
        return false;
    span->len = r->owes_lf ? 0 : plain_len(r, limit);
    if (span->len == 0) {
        *span = str_sub(replacement(r, limit), 0, limit);
    } else {
        *span = str_sub(r->bytes, 0, span->len);
        r->after_cr = span->p[span->len - 1] == '\r';
        r->bytes = str_sub(r->bytes, span->len, r->bytes.len);
    }
    r->size -= span->len;
    return true;
}

bool
run_next(struct run *r, struct str *span)
{
    return next_span(r, SPAN_MAX, span);
}

size_t
run_read(struct run *r, char *to, size_t room)
{
    size_t done = 0;
    struct str span;

    while (done < room && next_span(r, room - done, &span)) {
        memcpy(to + done, span.p, span.len);
        done += span.len;
    }
    return done;
}

static void
skip(struct run *r, uint64_t count)
{
    struct str span;

    while (count > 0 &&
           next_span(r, count < SPAN_MAX ? (size_t)count : SPAN_MAX, &span))
        count -= span.len;
}

/* ---- parts of runs ---- */

/* How many bare LF stand before the n-th mark. */
static uint64_t
mark(const struct structure *s, size_t n)
{
    uint64_t value = 0;

    for (size_t i = 0; n > 0 && i < 4; i++)
        value |= (uint64_t)(unsigned char)s->marks.p[(n - 1) * 4 + i] << 8 * i;
    return value;
}

/* Jump to the last mark that is not behind the offset. A damaged mark leads to
 * wrong bytes, never out of the run. */
static uint64_t
jump(struct run *r, struct str message, const struct structure *s,
     uint64_t offset)
{
    size_t start = (size_t)(r->bytes.p - message.p);
    size_t first = start / MARK_STEP + 1, low = first;
    size_t high = s->marks.len / 4 + 1;
    uint64_t before = 0;

    if (high <= first || start + r->bytes.len <= first * MARK_STEP)
        return offset;

    /* What is bare before the run: count from the mark before it. */
    size_t known = (first - 1) * MARK_STEP;

    before =
        mark(s, first - 1) + count_bare(str_sub(message, known, start - known));
    if (known < start && known > 0 && message.p[known] == '\n' &&
        message.p[known - 1] == '\r')
        before--;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint64_t at = middle * MARK_STEP - start + mark(s, middle) - before;

        if (middle * MARK_STEP <= start + r->bytes.len && at <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == first)
        return offset;

    size_t to = (low - 1) * MARK_STEP - start;
    uint64_t gone = to + mark(s, low - 1) - before;

    if (to > r->bytes.len || gone > offset || gone > r->size)
        return offset;
    r->after_cr = r->bytes.p[to - 1] == '\r';
    r->bytes = str_sub(r->bytes, to, r->bytes.len);
    r->size -= gone;
    return offset - gone;
}

void
run_cut(struct run *r, struct str message, const struct structure *s,
        uint64_t offset, uint64_t count)
{
    bool inside = r->bytes.p >= message.p &&
                  r->bytes.p + r->bytes.len <= message.p + message.len;

    if (offset >= r->size) {
        *r = (struct run){0};
        return;
    }
    if (!r->convert) {
        r->bytes = str_sub(r->bytes, (size_t)offset, r->bytes.len);
        r->size -= offset;
    } else {
        if (inside)
            offset = jump(r, message, s, offset);
        skip(r, offset);
    }
    if (r->size > count)
        r->size = count;
}
