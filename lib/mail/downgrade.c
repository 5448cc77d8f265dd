#include "mail/downgrade.h"

#include "base/utf8.h"
#include "mail/mime_walk.h"
#include "mail/qp.h"

/* Parts that are told apart; those beyond share the last one's fate. */
#define PARTS_MAX 65536

/* Longest line that 7bit allows (RFC 2045 2.7). */
#define LINE_MAX_7BIT 998

struct downgrade {
    struct mime_walk *walk;
    unsigned char convert[PARTS_MAX / 8]; /* a bit a part */
    bool needed, second;

    size_t column; /* first pass: of the line */

    /* second pass */
    downgrade_out *out;
    void *self;
    struct qp qp;
    struct buf encoded;
    bool drop_rest; /* of a field that was cut */
    bool dropped;   /* the label of this header */
};

static uint64_t
slot(const struct mime_part *p)
{
    return p->number < PARTS_MAX ? p->number : PARTS_MAX - 1;
}

/* The first pass found text in it that must be converted. */
static bool
is_marked(const struct downgrade *d, const struct mime_part *p)
{
    return d->convert[slot(p) / 8] & 1 << slot(p) % 8;
}

/* The same, where all of its header is known: the last mark is shared. */
static bool
converts(const struct downgrade *d, const struct mime_part *p)
{
    return is_marked(d, p) && p->kind == MIME_LEAF &&
           p->encoding <= MIME_BINARY;
}

static void
put(struct downgrade *d, struct str bytes)
{
    if (bytes.len > 0)
        d->out(d->self, bytes);
}

/* Is a line of this text, which goes on where the last piece ended, too long
 * for 7bit? */
static bool
has_long_line(struct downgrade *d, struct str bytes)
{
    bool more = true, found = false;

    while (more) {
        struct str line;

        more = str_cut(&bytes, '\n', &line);
        d->column += line.len;
        found = found || d->column > LINE_MAX_7BIT;
        if (more)
            d->column = 0;
    }
    return found;
}

static void
look_at_text(struct downgrade *d, const struct mime_part *p, struct str bytes)
{
    bool bad = !utf8_is_ascii(bytes) || str_find(bytes, '\0') >= 0;

    if (has_long_line(d, bytes))
        bad = bad || p->encoding == MIME_BINARY;
    if (!bad || p->kind != MIME_LEAF || p->encoding > MIME_BINARY)
        return;
    d->convert[slot(p) / 8] |= (unsigned char)(1 << slot(p) % 8);
    d->needed = true;
}

static void
on_text(void *self, const struct mime_part *p, struct str bytes)
{
    struct downgrade *d = self;

    if (!d->second) {
        look_at_text(d, p, bytes);
        return;
    }
    if (!converts(d, p)) {
        put(d, bytes);
        return;
    }
    for (; bytes.len > 0; bytes = str_sub(bytes, 4096, bytes.len)) {
        buf_reset(&d->encoded);
        qp_encode(&d->qp, str_sub(bytes, 0, 4096), &d->encoded);
        put(d, buf_str(&d->encoded));
    }
}

static void
on_text_end(void *self, const struct mime_part *p)
{
    struct downgrade *d = self;

    d->column = 0;
    if (!d->second || !converts(d, p))
        return;
    buf_reset(&d->encoded);
    qp_encode_end(&d->qp, &d->encoded);
    put(d, buf_str(&d->encoded));
}

/* The label of a part that is converted goes, and a new one is written at the
 * end of the header. 8bit and binary are true of no other part any more. */
static void
on_field(void *self, const struct mime_part *p, const struct header_field *f)
{
    struct downgrade *d = self;
    bool label =
        f->id == HEADER_ID_CONTENT_ENCODING && p->encoding <= MIME_BINARY;

    if (!d->second)
        return;
    d->drop_rest = label && (is_marked(d, p) || p->encoding != MIME_7BIT);
    d->dropped = d->dropped || d->drop_rest;
    if (!d->drop_rest)
        put(d, f->whole);
}

static void
on_header_end(void *self, const struct mime_part *p, bool empty_line)
{
    struct downgrade *d = self;
    uint64_t one = 1;
    bool convert = converts(d, p);

    if (d->second && convert) {
        if (p->is_message && !(p->seen & one << HEADER_ID_MIME_VERSION))
            put(d, S("MIME-Version: 1.0\n"));
        if (!(p->seen & one << HEADER_ID_CONTENT_TYPE))
            put(d, S("Content-Type: text/plain; charset=unknown-8bit\n"));
        put(d, S("Content-Transfer-Encoding: quoted-printable\n"));
    } else if (d->second && d->dropped) {
        put(d, S("Content-Transfer-Encoding: 7bit\n"));
    }
    /* Encoded text could be taken for a field where there is none. */
    if (d->second && (empty_line || convert))
        put(d, S("\n"));
    d->drop_rest = d->dropped = false;
}

static void
on_between(void *self, struct str bytes)
{
    struct downgrade *d = self;

    if (d->second && !d->drop_rest)
        put(d, bytes);
}

static const struct mime_calls calls = {on_field, on_header_end, on_text,
                                        on_text_end, on_between};

struct downgrade *
downgrade_new(struct arena *a)
{
    struct downgrade *d = arena_make(a, struct downgrade);

    d->walk = mime_walk_new(a, &calls, d);
    d->encoded = buf_in(a);
    return d;
}

void
downgrade_look(struct downgrade *d, struct str content)
{
    mime_walk_put(d->walk, content);
}

bool
downgrade_needed(struct downgrade *d)
{
    mime_walk_end(d->walk);
    mime_walk_reset(d->walk);
    d->second = true;
    return d->needed;
}

void
downgrade_put(struct downgrade *d, struct str content, downgrade_out *out,
              void *self)
{
    d->out = out;
    d->self = self;
    mime_walk_put(d->walk, content);
}

void
downgrade_end(struct downgrade *d, downgrade_out *out, void *self)
{
    d->out = out;
    d->self = self;
    mime_walk_end(d->walk);
}
