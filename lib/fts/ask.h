/*
 * ask.h - which messages of a set have a text?
 */
#ifndef FTS_ASK_H
#define FTS_ASK_H

#include "base/arena.h"
#include "fts/fts.h"

enum fts_says {
    FTS_NO,
    FTS_YES,
    FTS_PERHAPS, /* look at the message */
};

/* A question: is that text in one of these areas (a bit of each)? */
struct fts_ask {
    /* private */
    struct fts_set *set;
    unsigned areas;
    bool sure; /* a word that has it in it is enough */
    struct ask_run *runs;
    size_t count, asked;
    struct ask_bits *bits; /* of each segment */
};

/* `mapped` is copied; the set stays. */
void fts_ask_begin(struct fts_ask *ask, struct arena *a, struct fts_set *set,
                   struct str mapped, unsigned areas);

/* Ask one segment more; false when all have been asked. */
bool fts_ask_step(struct fts_ask *ask);

/* The answer for a message, when all have been asked. */
enum fts_says fts_ask_says(const struct fts_ask *ask,
                           const struct fts_place *place);

#endif
