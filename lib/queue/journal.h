/*
 * journal.h - adding to a queue file what happens to its message.
 *
 * Nothing here but queue_copy needs a sync: what a crash takes away is the
 * memory of an attempt, and then that attempt is made again.
 */
#ifndef QUEUE_JOURNAL_H
#define QUEUE_JOURNAL_H

#include "queue/file.h"

/*
 * Add an event. On failure (errno) the file is as it was. The arena is for
 * the bytes while they are made.
 */
bool queue_add_attempt(struct arena *a, int fd, struct queue_place *at,
                       int64_t when, const struct queue_result *results,
                       size_t count) MUST_USE;
bool queue_add_mark(struct arena *a, int fd, struct queue_place *at,
                    int64_t when, enum queue_mark mark) MUST_USE;

/*
 * Write the envelope again behind the content of a file that a claim cut
 * short, or whose events are to be forgotten. *at has seal, start and stop.
 */
bool queue_add_envelope(struct arena *a, int fd, struct queue_place *at,
                        const struct envelope *e, bool claimable) MUST_USE;

/*
 * Write into the empty file `out` what f (open as `in`) is now: content,
 * envelope, newest results and marks, without its history; and sync it.
 */
bool queue_copy(struct arena *a, int out, int in, const struct queue_file *f,
                struct queue_place *at) MUST_USE;

#endif
