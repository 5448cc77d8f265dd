#include "fts/ask.h"

#include "fts/tokens.h"

/* The longest ones of a text say enough. */
#define RUNS_MAX  4
#define PAIRS_MAX 16

struct ask_run {
    struct str text;
    enum run_class class;
    bool first, last; /* begins, ends where a word does */
};

/* Which messages of a segment have it, and which ones perhaps. */
struct ask_bits {
    uint64_t yes[SEGMENT_BITS], perhaps[SEGMENT_BITS];
};

static void
clear(uint64_t *bits)
{
    memset(bits, 0, SEGMENT_BITS * sizeof *bits);
}

static void
both(uint64_t *bits, const uint64_t *other)
{
    for (size_t i = 0; i < SEGMENT_BITS; i++)
        bits[i] &= other[i];
}

static void
either(uint64_t *bits, const uint64_t *other)
{
    for (size_t i = 0; i < SEGMENT_BITS; i++)
        bits[i] |= other[i];
}

/* ---- the text */

static void
drop_shortest(struct fts_ask *ask)
{
    size_t shortest = 0;

    for (size_t i = 1; i < ask->count; i++)
        if (ask->runs[i].text.len < ask->runs[shortest].text.len)
            shortest = i;
    ask->runs[shortest] = ask->runs[--ask->count];
}

/* No more than two characters: a pair, or a part of one. */
static bool
is_pair(struct str run)
{
    (void)tokens_char(&run);
    if (run.len > 0)
        (void)tokens_char(&run);
    return run.len == 0;
}

void
fts_ask_begin(struct fts_ask *ask, struct arena *a, struct fts_set *set,
              struct str mapped, unsigned areas)
{
    struct str text = arena_str(a, mapped), rest = text;
    struct ask_run r = {0};

    *ask = (struct fts_ask){.set = set, .areas = areas};
    ask->runs = arena_alloc(a, (RUNS_MAX + 1) * sizeof *ask->runs);
    ask->bits = arena_alloc(a, (set->segments.len + 1) * sizeof *ask->bits);
    while (tokens_run(&rest, &r.text, &r.class)) {
        r.first = r.text.p > text.p;
        r.last = r.text.p + r.text.len < text.p + text.len;
        ask->sure = r.text.len == text.len &&
                    (r.class == RUN_SPACED || is_pair(r.text));
        ask->runs[ask->count++] = r;
        if (ask->count > RUNS_MAX)
            drop_shortest(ask);
    }
}

/* ---- a segment */

static void
ask_spaced(const struct segment *s, enum fts_area area, const struct ask_run *r,
           uint64_t *words, uint64_t *grams)
{
    bool whole = r->first && r->last;

    if (!whole || tokens_is_word(r->text))
        segment_words(s, area, r->text, r->first, r->last, words);
    if (!whole || !tokens_is_word(r->text))
        segment_grams(s, area, r->text, grams);
}

static void
ask_unspaced(const struct segment *s, enum fts_area area,
             const struct ask_run *r, uint64_t *words)
{
    struct str rest = r->text, first = tokens_char(&rest), second;
    uint64_t one[SEGMENT_BITS];

    if (is_pair(r->text)) {
        segment_words(s, area, r->text, false, false, words);
        return;
    }
    memset(words, 0xff, SEGMENT_BITS * sizeof *words);
    for (size_t i = 0; i < PAIRS_MAX && rest.len > 0; i++, first = second) {
        second = tokens_char(&rest);
        clear(one);
        segment_words(s, area, (struct str){first.p, first.len + second.len},
                      false, false, one);
        both(words, one);
    }
}

static void
ask_area(const struct fts_ask *ask, const struct segment *s, enum fts_area area,
         struct ask_bits *bits)
{
    uint64_t all[SEGMENT_BITS], words[SEGMENT_BITS], grams[SEGMENT_BITS];

    memset(all, 0xff, sizeof all);
    for (size_t i = 0; i < ask->count; i++) {
        const struct ask_run *r = &ask->runs[i];

        clear(words);
        clear(grams);
        if (r->class == RUN_SPACED)
            ask_spaced(s, area, r, words, grams);
        else
            ask_unspaced(s, area, r, words);
        if (ask->sure)
            either(bits->yes, words);
        either(grams, words);
        both(all, grams);
    }
    either(bits->perhaps, all);
}

bool
fts_ask_step(struct fts_ask *ask)
{
    struct segment *s;

    if (ask->asked == ask->set->segments.len)
        return false;
    s = ask->set->segments.at[ask->asked];
    if (ask->count > 0 && segment_is_good(s))
        for (enum fts_area area = 0; area < FTS_AREAS; area++)
            if (ask->areas & 1u << area)
                ask_area(ask, s, area, &ask->bits[ask->asked]);
    ask->asked++;
    return true;
}

/* ---- the answer */

enum fts_says
fts_ask_says(const struct fts_ask *ask, const struct fts_place *place)
{
    const struct segment *s = ask->set->segments.at[place->segment];
    const struct ask_bits *bits = &ask->bits[place->segment];

    if (s->state != SEGMENT_GOOD || ask->count == 0)
        return FTS_PERHAPS;
    if (bit_is_set(bits->yes, place->doc))
        return FTS_YES;
    if (bit_is_set(bits->perhaps, place->doc) ||
        s->docs[place->doc].flags & DOC_CUT)
        return FTS_PERHAPS;
    return FTS_NO;
}
