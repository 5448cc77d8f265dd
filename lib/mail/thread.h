/*
 * thread.h - conversations (RFC 5256 3: REFERENCES, ORDEREDSUBJECT; and REFS,
 * which is REFERENCES without looking at subjects, newest thread last).
 *
 * Time grows as n log n, whatever the messages refer to: loops, chains of all
 * of them, and ids that many claim to have.
 */
#ifndef MAIL_THREAD_H
#define MAIL_THREAD_H

#include "mail/sort.h"

enum thread_method { THREAD_ORDEREDSUBJECT, THREAD_REFERENCES, THREAD_REFS };

/*
 * Append the threads of the messages, which are in the order of their numbers:
 * "(2)(3 6 (4 23)(44 7 96))". ids[i] is what is written for messages[i]: a
 * number or a UID. Works in `scratch`, some 150 bytes a message and reference.
 */
void thread_put(struct arena *scratch, enum thread_method method,
                const struct sort_message *messages, const uint32_t *ids,
                size_t count, struct buf *out);

#endif
