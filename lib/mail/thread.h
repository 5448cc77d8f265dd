/*
 * thread.h - conversations (RFC 5256 3: REFERENCES, ORDEREDSUBJECT; and REFS,
 * which is REFERENCES without looking at subjects, newest thread last).
 *
 * Time grows as n log n, whatever the messages refer to: loops, chains of all
 * of them, and ids that many claim to have. It is spent in small steps, so that
 * an event loop can serve others meanwhile.
 */
#ifndef MAIL_THREAD_H
#define MAIL_THREAD_H

#include "mail/facts.h"

enum thread_method { THREAD_ORDEREDSUBJECT, THREAD_REFERENCES, THREAD_REFS };

/*
 * What a message says of itself. Ids and subjects are only compared, so numbers
 * stand for them, 0 for none: what comes of two that are taken for the same is
 * what anybody gets by repeating another's id.
 */
struct thread_message {
    uint32_t number; /* or UID: what is written */
    bool reply;
    int64_t date;     /* of sending; of arrival where there is none */
    uint64_t subject; /* the base subject */
    uint64_t id;
    const uint64_t *references;
    size_t count;
};

/* The number of an id or subject, the same for ever. */
uint64_t thread_number(struct str text);

/*
 * Messages are in the order of their numbers; they stay until the end, as the
 * arena does: some 150 bytes a message and reference.
 */
struct threading *thread_begin(struct arena *a, enum thread_method method,
                               const struct thread_message *messages,
                               size_t count);

/* Make the threads, in so many steps until it returns true. */
bool thread_step(struct threading *t) MUST_USE;

/* Then append them, "(2)(3 6 (4 23)(44 7 96))", some at each call. True: that
 * was all. */
bool thread_put(struct threading *t, struct buf *out) MUST_USE;

#endif
