#include "fts/builder.h"

#include <stdlib.h>

#include "base/hash.h"
#include "fts/builder_own.h"

/* A segment is written when it has so much: some 35 MB of memory. */
#define HAD_MAX   ((size_t)2 << 20) /* words of all messages */
#define GRAMS_MAX ((size_t)3 << 20)
#define TEXTS_MAX ((size_t)12 << 20) /* bytes of different words */
#define WORDS_MAX ((size_t)1 << 19)  /* of those */

/* A message has no more of them; what it has more is not in the index. */
#define DOC_MAX ((size_t)300000)

#define SLOTS ((size_t)1 << 14)

static void take_word(void *self, struct str word);
static void take_gram(void *self, uint32_t gram);

struct builder *
builder_new(const struct segment_folder *folder)
{
    struct builder *b = calloc(1, sizeof *b);

    must(b != NULL);
    memcpy(b->head.magic, SEGMENT_MAGIC, sizeof b->head.magic);
    b->head.folder = *folder;
    b->slot_count = SLOTS;
    b->slots = calloc(SLOTS, sizeof *b->slots);
    must(b->slots != NULL);
    for (size_t i = 0; i < WORD_KEYS; i++)
        b->keys[i] = hash_of((struct str){(const char *)&i, sizeof i});
    b->taker = (struct token_taker){take_word, take_gram, b};
    b->tokens.taker = &b->taker;
    return b;
}

void
builder_free(struct builder *b)
{
    if (b == NULL)
        return;
    writing_free(b->writing);
    vec_free(&b->docs);
    vec_free(&b->words);
    vec_free(&b->texts);
    vec_free(&b->had.at);
    vec_free(&b->had.end);
    for (size_t i = 0; i < FTS_AREAS; i++) {
        vec_free(&b->grams[i].at);
        vec_free(&b->grams[i].end);
    }
    free(b->slots);
    free(b);
}

/* ---- the table of words */

static void
put_slot(struct builder *b, struct word_slot slot)
{
    size_t i = slot.hash & (b->slot_count - 1);

    while (b->slots[i].number)
        i = (i + 1) & (b->slot_count - 1);
    b->slots[i] = slot;
}

static void
grow(struct builder *b)
{
    struct word_slot *old = b->slots;
    size_t count = b->slot_count;

    b->slot_count *= 2;
    b->slots = calloc(b->slot_count, sizeof *b->slots);
    must(b->slots != NULL);
    for (size_t i = 0; i < count; i++)
        if (old[i].number)
            put_slot(b, old[i]);
    free(old);
}

static uint32_t
add_word(struct builder *b, struct str text, uint32_t hash)
{
    uint32_t number = (uint32_t)b->words.len;

    *vec_add(&b->words) = (struct word){.at = (uint32_t)b->texts.len,
                                        .len = (uint8_t)text.len,
                                        .area = (uint8_t)b->area};
    for (size_t i = 0; i < text.len; i++)
        *vec_add(&b->texts) = text.p[i];
    if (b->words.len * 2 > b->slot_count)
        grow(b);
    put_slot(b, (struct word_slot){hash, number + 1});
    return number;
}

/* Multilinear, strongly universal (Lemire, Kaser 2014): as nobody knows the
 * keys, nobody can send words that meet in the table. */
static uint32_t
hash_word(const struct builder *b, struct str text)
{
    uint64_t sum = b->keys[0] * (text.len << 2 | b->area);
    const uint64_t *key = &b->keys[1];
    uint32_t four = 0;

    for (; text.len >= sizeof four; key++) {
        memcpy(&four, text.p, sizeof four);
        sum += *key * four;
        text = (struct str){text.p + sizeof four, text.len - sizeof four};
    }
    four = 0;
    memcpy(&four, text.p, text.len);
    return (uint32_t)((sum + *key * four) >> 32);
}

static uint32_t
find_word(struct builder *b, struct str text)
{
    const uint32_t hash = hash_word(b, text);
    size_t i = hash & (b->slot_count - 1);

    for (; b->slots[i].number; i = (i + 1) & (b->slot_count - 1)) {
        const struct word *w = &b->words.at[b->slots[i].number - 1];

        if (b->slots[i].hash == hash && w->len == text.len &&
            w->area == b->area &&
            memcmp(b->texts.at + w->at, text.p, text.len) == 0)
            return b->slots[i].number - 1;
    }
    return add_word(b, text, hash);
}

/* ---- what a message has */

/* One more; false where it has had too many. */
static bool
has_room(struct builder *b)
{
    if (b->room == 0) {
        b->docs.at[b->docs.len - 1].flags |= DOC_CUT;
        return false;
    }
    b->room--;
    return true;
}

static void
take_word(void *self, struct str text)
{
    struct builder *b = self;
    uint32_t number;

    if (b->room == 0 && !has_room(b))
        return;
    number = find_word(b, text);
    if (b->words.at[number].last == b->docs.len || !has_room(b))
        return;
    b->words.at[number].last = (uint32_t)b->docs.len;
    b->words.at[number].count++;
    *vec_add(&b->had.at) = number;
}

static void
take_gram(void *self, uint32_t gram)
{
    struct builder *b = self;
    struct grams_had *g = &b->grams[b->area];

    if (bit_is_set(g->seen, gram) || !has_room(b))
        return;
    bit_set(g->seen, gram);
    *vec_add(&g->at) = (uint16_t)gram;
}

static void
end_text(struct builder *b)
{
    if (b->in_text)
        tokens_end(&b->tokens);
    b->in_text = false;
}

void
builder_begin(struct builder *b, uint32_t uid, uint64_t id)
{
    must(b->docs.len == b->had.end.len && b->writing == NULL);
    *vec_add(&b->docs) = (struct segment_doc){.uid = uid, .id = id};
    b->room = DOC_MAX;
}

void
builder_text(struct builder *b, enum fts_area area)
{
    end_text(b);
    b->area = area;
    b->in_text = true;
}

bool
builder_put(struct builder *b, struct str mapped)
{
    tokens_put(&b->tokens, mapped);
    return !(b->docs.at[b->docs.len - 1].flags & DOC_CUT);
}

static void
forget_seen(struct grams_had *g)
{
    size_t from = g->end.len ? g->end.at[g->end.len - 1] : 0;

    for (size_t i = from; i < g->at.len; i++)
        g->seen[g->at.at[i] / 64] = 0;
}

void
builder_end(struct builder *b)
{
    end_text(b);
    *vec_add(&b->had.end) = (uint32_t)b->had.at.len;
    for (size_t i = 0; i < FTS_AREAS; i++) {
        forget_seen(&b->grams[i]);
        *vec_add(&b->grams[i].end) = (uint32_t)b->grams[i].at.len;
    }
}

/* What it had stays: that is a message which no UID leads to. */
void
builder_forget(struct builder *b)
{
    struct segment_doc *d = &b->docs.at[b->docs.len - 1];

    d->uid = 0;
    d->flags = DOC_CUT;
    builder_end(b);
}

size_t
builder_count(const struct builder *b)
{
    return b->docs.len;
}

bool
builder_is_full(const struct builder *b)
{
    size_t grams = 0;

    for (size_t i = 0; i < FTS_AREAS; i++)
        grams += b->grams[i].at.len;
    return b->docs.len >= SEGMENT_DOCS_MAX || b->had.at.len >= HAD_MAX ||
           grams >= GRAMS_MAX || b->texts.len >= TEXTS_MAX ||
           b->words.len >= WORDS_MAX;
}
