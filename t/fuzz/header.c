/* Headers: whole, and in pieces through the filter. */
#include "mail/header.h"

#include "fuzz/fuzz.h"
#include "mail/header_filter.h"

struct target {
    struct buf out;
    uint64_t bcc;
};

static enum header_verdict
field(void *self, const struct header_field *f)
{
    struct target *t = self;

    must(f->name.len > 0 && f->whole.len > f->name.len);
    t->bcc += f->id == HEADER_ID_BCC;
    return HEADER_KEEP;
}

static void
put(void *self, struct str text)
{
    struct target *t = self;

    buf_add(&t->out, text);
}

static const struct header_calls calls = {field, NULL, put};

static struct str
filtered(struct arena *a, struct str in, size_t piece)
{
    struct target t = {.out = buf_in(a)};
    struct header_filter h;

    header_filter_begin(&h, a, 100, &calls, &t);
    for (size_t i = 0; i < in.len; i += piece)
        header_filter_put(&h, str_sub(in, i, piece));
    header_filter_end(&h);
    return buf_str(&t.out);
}

static void
fuzz(struct arena *a, struct str in)
{
    struct str rest = in, body, header = header_of(in, &body);
    struct header_field f;
    struct buf b = buf_in(a);

    while (header_next(&rest, &f)) {
        must(f.whole.p + f.whole.len == rest.p);
        (void)header_unfold(a, f.body);
        buf_reset(&b);
        header_put(&b, "X", f.body);
        must(str_find(buf_str(&b), '\r') < 0);
    }
    must(header.p + header.len == rest.p);

    /* The filter adds at most an empty line and a line end. */
    struct str out = filtered(a, in, 7);

    must(out.len >= in.len && out.len <= in.len + 2);
    must(str_eq(out, filtered(a, in, 1)));
    must(str_eq(out, filtered(a, in, in.len + 1)));
}

FUZZ(32 << 20)
