/*
 * sorting.h - SORT and THREAD of the messages that a search has found
 * (RFC 5256, 5957).
 */
#ifndef IMAPD_SORTING_H
#define IMAPD_SORTING_H

#include "fields.h"
#include "found.h"
#include "mail/thread.h"

struct sorting {
    struct session *s;
    const struct command *c;
    bool thread;
    unsigned wants; /* SORTING_ bits */
    struct arena *a, *scratch;
    struct sort_message *messages;
    uint32_t *ids; /* UIDs */
    size_t count;
};

void sorting_begin(struct sorting *g, struct session *s,
                   const struct command *c, size_t count);
void sorting_end(struct sorting *g);

/* Find out about one that was found: in the order of their numbers. One that
 * is gone is left out. */
enum rc sorting_add(struct sorting *g, uint32_t uid, struct why *why) MUST_USE;

/* All hits, which were in the order of UIDs, have been added: put them in the
 * order that is wanted; how many there still are. */
size_t sorting_sort(struct sorting *g, struct hit *hits, size_t count);

/* Append the THREAD response. PERM 5.3.4 where they are too many. */
enum rc sorting_threads(struct sorting *g, struct buf *b,
                        struct why *why) MUST_USE;

#endif
