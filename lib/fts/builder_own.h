/*
 * builder_own.h - what builder.c collects and builder_write.c writes.
 */
#ifndef FTS_BUILDER_OWN_H
#define FTS_BUILDER_OWN_H

#include "base/vec.h"
#include "fts/builder.h"
#include "fts/tokens.h"

/* A word of an area. */
struct word {
    uint32_t at;    /* in `texts` */
    uint32_t last;  /* 1 + the last message that has it */
    uint32_t count; /* messages that have it */
    uint32_t place; /* of its messages among all, in builder_write */
    uint8_t len, area;
};

/* The table of words has them by hash; number 0 is none. */
struct word_slot {
    uint32_t hash, number;
};

/* One for each four bytes of a word, and one for what it is. */
#define WORD_KEYS ((WORD_MAX + 8) / 4 + 2)

/* Which words, or grams, messages have: those of message i stand up to
 * end[i], after those of the one before. */
struct words_had {
    VEC(uint32_t) at;
    VEC(uint32_t) end;
};

struct grams_had {
    VEC(uint16_t) at;
    VEC(uint32_t) end;
    uint64_t seen[GRAMS / 64]; /* in the message that has begun */
};

struct writing;

struct builder {
    struct segment_head head;
    VEC(struct segment_doc) docs;
    VEC(struct word) words;
    VEC(char) texts;
    struct word_slot *slots;
    size_t slot_count;
    uint64_t keys[WORD_KEYS]; /* of the hash */
    struct words_had had;
    struct grams_had grams[FTS_AREAS];
    struct token_taker taker;
    struct tokens tokens;
    enum fts_area area;
    bool in_text;
    size_t room; /* words and grams that the message may still have */
    struct writing *writing;
};

void writing_free(struct writing *w);

#endif
