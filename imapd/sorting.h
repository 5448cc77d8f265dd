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
    unsigned wants, facts; /* SORTING_, FACTS_ bits */
    struct arena *a, *scratch, *headers;
    struct sort_message *messages;
    uint32_t *ids; /* UIDs */
    size_t count;
};

void sorting_begin(struct sorting *g, struct session *s,
                   const struct command *c, size_t count);
void sorting_end(struct sorting *g);

/* Find out about some that were found, at most SORTING_SOME: in the order of
 * their numbers. One that is gone is left out. */
#define SORTING_SOME 32
enum rc sorting_add(struct sorting *g, const struct hit *hits, size_t n,
                    struct why *why) MUST_USE;

/* All hits, which were in the order of UIDs, have been added: put them in the
 * order that is wanted; how many there still are. */
size_t sorting_sort(struct sorting *g, struct hit *hits, size_t count);

/* Append the THREAD response. PERM 5.3.4 where they are too many. */
enum rc sorting_threads(struct sorting *g, struct buf *b,
                        struct why *why) MUST_USE;

#endif
