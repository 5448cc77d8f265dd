/*
 * ask.h - questions to auth-worker and auth-pam, without waiting.
 *
 * Each link carries one question at a time; there are as many links as
 * questions, up to a limit, then questions wait in line. A question whose
 * worker ends without an answer is asked once more, as workers also end for
 * good reasons (reload); after that, or when its time is over, the answer is
 * CHECK_TEMP.
 *
 * Questions with the same key are the same question: while one of them is
 * open, others join it and get its answer. So a program that opens a hundred
 * connections at once has its password hashed once.
 */
#ifndef AUTHD_ASK_H
#define AUTHD_ASK_H

#include "base/arena.h"
#include "cache.h"
#include "sys/loop.h"

struct asker;
struct ask;

/* Ask at that socket. limit: milliseconds for one question. */
struct asker *asker_new(struct arena *life, struct loop *l, const char *path,
                        size_t links_max, int64_t limit);

/*
 * What the question points to stays the caller's, until answered or
 * ask_cancel. The answer (views) is never given within ask_start. The ask is
 * gone when it is answered. key (cache.h) may be NULL: it joins no other.
 */
struct ask *ask_start(struct asker *a, const struct question *q,
                      const uint8_t key[CACHE_KEY],
                      void (*answered)(void *own, const struct answer *answer),
                      void *own);
/* It waits for the answer to another's question. */
bool ask_has_joined(const struct ask *ask);
void ask_cancel(struct ask *ask);

#endif
