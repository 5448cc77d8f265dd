/*
 * sorting.h - SORT and THREAD of the messages that a search has found
 * (RFC 5256, 5957), in steps.
 */
#ifndef IMAPD_SORTING_H
#define IMAPD_SORTING_H

#include "found.h"
#include "mail/sort.h"
#include "mail/thread.h"

struct sorting {
    struct session *s;
    const struct command *c;
    bool thread;
    unsigned wants;  /* WANT_ bits */
    struct arena *a; /* facts, until the end */
    struct arena *scratch, *headers;

    /* What was found; one that is gone is left out. */
    struct hit *hits;
    struct sort_message *messages;  /* SORT */
    struct thread_message *threads; /* THREAD */
    size_t count;

    bool ordering; /* all have been added */
    struct sort sort;
    struct threading *threading;
};

/* PERM 5.3.4 where they are too many. sorting_end is due in any case. */
enum rc sorting_begin(struct sorting *g, struct session *s,
                      const struct command *c, size_t count,
                      struct why *why) MUST_USE;
void sorting_end(struct sorting *g);

/* Find out about some that were found, at most SORTING_SOME: in the order of
 * their numbers. PERM 5.3.4 where they are too many. */
#define SORTING_SOME 32
enum rc sorting_add(struct sorting *g, const struct hit *hits, size_t n,
                    struct why *why) MUST_USE;

/* Then, a step at each call: put them in order until *done. PERM 5.3.4 where
 * they are too many. */
enum rc sorting_order(struct sorting *g, bool *done, struct why *why) MUST_USE;

/* SORT: the hits in that order; how many there still are. */
size_t sorting_take(const struct sorting *g, struct hit *hits);

/* THREAD: append some of what stands between "* THREAD " and the line's end.
 * True: that was all. */
bool sorting_put_threads(struct sorting *g, struct buf *b) MUST_USE;

#endif
