/* A segment of the index of words, as if its bytes were right; and what texts
 * are cut into, in pieces and as a whole. */
#include "fts/segment.h"
#include "fts/tokens.h"
#include "fuzz/fuzz.h"

/* Some other memory than the input's, as it must be aligned. */
static void
ask(struct arena *a, struct str in)
{
    static const struct segment_folder folder;
    struct segment_head *h;
    struct segment *s;
    char *file = arena_alloc(a, in.len + sizeof *h);
    uint64_t bits[SEGMENT_BITS] = {0};

    memcpy(file, in.p, in.len);
    h = (void *)file;
    memcpy(h->magic, SEGMENT_MAGIC, sizeof h->magic);
    h->folder = folder;
    h->size = in.len < sizeof *h ? sizeof *h : in.len;
    s = segment_from((struct str){file, h->size}, "fuzz", &folder);
    if (s == NULL)
        return;
    for (enum fts_area area = 0; area < FTS_AREAS; area++) {
        segment_words(s, area, S("A"), false, false, bits);
        segment_words(s, area, S("WORD"), true, false, bits);
        segment_words(s, area, S("D"), false, true, bits);
        segment_grams(s, area, S("LONGER"), bits);
        segment_grams(s, area, S("L"), bits);
    }
    (void)segment_is_good(s);
    segment_close(s);
}

static void
word(void *self, struct str w)
{
    must(w.len > 0 && w.len <= WORD_MAX + 8);
    *(uint64_t *)self = *(uint64_t *)self * 31 + w.len;
}

static void
gram(void *self, uint32_t g)
{
    must(g < GRAMS);
    *(uint64_t *)self |= UINT64_C(1) << 63;
}

static uint64_t
cut(struct str text, bool whole)
{
    uint64_t sum = 0;
    const struct token_taker taker = {word, gram, &sum};
    struct tokens t = {.taker = &taker};

    while (text.len > 0) {
        struct str piece = whole ? text : tokens_char(&text);

        tokens_put(&t, piece);
        if (whole)
            break;
    }
    tokens_end(&t);
    return sum;
}

static void
fuzz(struct arena *a, struct str in)
{
    struct str rest = in, run;
    enum run_class class;

    ask(a, in);
    must(cut(in, true) == cut(in, false));
    while (tokens_run(&rest, &run, &class))
        must(run.len > 0 && class != RUN_NONE);
}

FUZZ(64 << 20)
