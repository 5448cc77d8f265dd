/*
 * postings.h - which of a segment's messages, in few bits.
 *
 * Golomb's code, with a parameter that is a power of two (Rice): 4 bits are k,
 * and one is set where the numbers are those that are *not* meant, as half of
 * them and more are. Then for each number how much further it is than the one
 * before, less one, or than where the list begins: that, less its low k bits,
 * as so many zeros and a one, then its low k bits. Low bits of a byte come
 * first, and zeros fill the last one, so no count is needed. With k = 0 this
 * is a bit for each message.
 */
#ifndef FTS_POSTINGS_H
#define FTS_POSTINGS_H

#include "base/buf.h"

/* Numbers in ascending order, from `from` and below `of`; the same one again
 * counts once. */
void postings_put(struct buf *b, const uint16_t *at, size_t count,
                  uint32_t from, uint32_t of);

/* Set the bits of those that are in it. What is damaged sets some between
 * `from` and `of`. */
void postings_add(struct str list, uint32_t from, uint32_t of, uint64_t *bits);

#endif
