/*
 * order.h - putting many things in order, in pieces: an event loop has others
 * to serve in between.
 *
 * Things go by their place in the caller's array and by a number that is
 * compared first. What has the same number keeps its order, unless `tie` knows
 * better.
 */
#ifndef BASE_ORDER_H
#define BASE_ORDER_H

#include "base/arena.h"

struct order_item {
    uint64_t key;
    uint32_t place;
};

struct order {
    struct order_item *at; /* the caller fills in all `count` of them; in order
                              in the end */
    size_t count;
    /* As qsort's: two places whose keys are the same. May be NULL. */
    int (*tie)(const void *self, uint32_t a, uint32_t b);
    const void *self;

    struct order_item *to; /* what is merged into: pairs of runs of `width` */
    size_t width, left, middle, right, end, out;
};

/* Room for so many items, in the arena. */
void order_begin(struct order *o, struct arena *a, size_t count);

/* Go on for some thousand comparisons; true: all is in order. Not to be called
 * again then. */
bool order_step(struct order *o) MUST_USE;

/* Keys: of a signed number, and of how a text begins. */
uint64_t order_number(int64_t n);
uint64_t order_text(struct str text);

#endif
