/* Messages: structure, downgrade, parameters, encoded words. */
#include "mail/mime.h"

#include "base/utf8.h"
#include "fuzz/fuzz.h"
#include "mail/downgrade.h"
#include "mail/mime_walk.h"
#include "mail/words.h"

static void
on_field(void *self, const struct mime_part *p, const struct header_field *f)
{
    (void)p;
    buf_add(self, f->whole);
}

static void
on_header_end(void *self, const struct mime_part *p, bool empty_line)
{
    must(p->depth <= MIME_DEPTH_MAX);
    if (empty_line)
        buf_addc(self, '\n');
}

static void
on_text(void *self, const struct mime_part *p, struct str bytes)
{
    must(p->kind == MIME_LEAF || p->kind == MIME_OPAQUE);
    buf_add(self, bytes);
}

static void
on_text_end(void *self, const struct mime_part *p)
{
    (void)self, (void)p;
}

static void
on_between(void *self, struct str bytes)
{
    buf_add(self, bytes);
}

static const struct mime_calls calls = {on_field, on_header_end, on_text,
                                        on_text_end, on_between};

static void
walk(struct arena *a, struct str in, size_t piece)
{
    struct buf out = buf_in(a);
    struct mime_walk *w = mime_walk_new(a, &calls, &out);

    for (size_t i = 0; i < in.len; i += piece)
        mime_walk_put(w, str_sub(in, i, piece));
    mime_walk_end(w);
    must(str_eq(buf_str(&out), in));
}

static void
add(void *self, struct str bytes)
{
    buf_add(self, bytes);
}

/* A downgraded message needs no second downgrade. */
static void
downgrade(struct arena *a, struct str in)
{
    struct buf out = buf_in(a);
    struct downgrade *d = downgrade_new(a);

    downgrade_look(d, in);
    if (!downgrade_needed(d))
        return;
    downgrade_put(d, in, add, &out);
    downgrade_end(d, add, &out);
    d = downgrade_new(a);
    downgrade_look(d, buf_str(&out));
    must(!downgrade_needed(d));
}

static void
fuzz(struct arena *a, struct str in)
{
    struct mime_value v;

    walk(a, in, 5);
    walk(a, in, in.len + 1);
    downgrade(a, in);
    (void)mime_parse(a, in, &v);
    (void)words_decode(a, in);
}

FUZZ(32 << 20)
