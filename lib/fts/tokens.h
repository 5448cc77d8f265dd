/*
 * tokens.h - what of a text goes into the index.
 *
 * Texts are mapped (mail/casemap.h) UTF-8. They are cut into runs of
 * characters of one class, with nothing between runs of two classes and
 * separators around them. What a run becomes depends on the run alone:
 *
 *   letters and digits       a word, kept as it is; one that is too long to be
 *                            a word, or has both and is long (base64, hashes,
 *                            numbers of all kinds), becomes *grams*: each
 *                            three bytes in a row, as a number
 *   of scripts without       each two characters in a row are a word; so is
 *   blanks between words     one that stands alone
 *
 * So a text that is looked for is in a run exactly if it is in one of the
 * words, or perhaps if all of its grams are there.
 */
#ifndef FTS_TOKENS_H
#define FTS_TOKENS_H

#include "base/str.h"

#define WORD_MAX 40    /* bytes of a word */
#define GRAMS    65536 /* different numbers */

enum run_class { RUN_NONE, RUN_SPACED, RUN_UNSPACED };

/* Cut the next run off the front of a whole text; false where there is none. */
bool tokens_run(struct str *text, struct str *run, enum run_class *class);

/* Is a whole run of letters kept as a word? */
bool tokens_is_word(struct str run);

/* Cut a character off the front of a run. */
struct str tokens_char(struct str *run);

/* Three bytes as a number below GRAMS. */
uint32_t tokens_gram(const char *three);

/* Where tokens go; a word is a view until the next call. */
struct token_taker {
    void (*word)(void *self, struct str word);
    void (*gram)(void *self, uint32_t gram);
    void *self;
};

/* A text that comes in pieces of whole characters. */
struct tokens {
    const struct token_taker *taker;
    enum run_class class;
    char held[WORD_MAX + 8]; /* the run so far; of a long one, its end */
    size_t len;
    size_t before; /* bytes of the last character but one */
    bool is_long;  /* its grams are being given */
    bool paired;
};

void tokens_put(struct tokens *t, struct str piece);
/* The text is over. */
void tokens_end(struct tokens *t);

#endif
