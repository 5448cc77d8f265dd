/*
 * set.h - sets of message numbers and UIDs.
 */
#ifndef IMAPD_SET_H
#define IMAPD_SET_H

#include "command.h"

/*
 * A set as it was sent with "*" filled in: sorted, without overlaps and gaps of
 * nothing, from <= to. `last` is the largest number or UID there is; where it
 * is 0 (an empty mailbox) what has "*" is left out. Not for "$".
 */
struct seq_set set_resolve(struct arena *a, const struct seq_set *set,
                           uint32_t last);

/* The rest is for resolved sets. */
bool set_has(const struct seq_set *set, uint32_t n);
uint64_t set_count(const struct seq_set *set);
/* 0 where it is empty. */
uint32_t set_highest(const struct seq_set *set);
/* "1:3,5" */
void set_put(const struct seq_set *set, struct buf *out);

/* Writes numbers one by one, those that follow each other as ranges; the order
 * is kept. Start with {.out = ...}. */
struct set_writer {
    struct buf *out;
    uint32_t from, to; /* the range so far; 0: none */
    bool any;          /* something was written */
};
void set_write(struct set_writer *w, uint32_t n);
void set_write_end(struct set_writer *w);

#endif
