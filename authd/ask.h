/*
 * ask.h - questions to auth-worker and auth-pam, without waiting.
 *
 * Each link carries one question at a time; there are as many links as
 * questions, up to a limit, then questions wait in line. A question whose
 * worker ends without an answer is asked once more, as workers also end for
 * good reasons (reload); after that, or when its time is over, the answer is
 * CHECK_TEMP.
 */
#ifndef AUTHD_ASK_H
#define AUTHD_ASK_H

#include "base/arena.h"
#include "check.h"
#include "sys/loop.h"

struct asker;
struct ask;

/* Ask at that socket. limit: milliseconds for one question. */
struct asker *asker_new(struct arena *life, struct loop *l, const char *path,
                        size_t links_max, int64_t limit);

/*
 * What the question points to stays the caller's, until answered or
 * ask_cancel. The answer (views) is never given within ask_start. The ask is
 * gone when it is answered.
 */
struct ask *ask_start(struct asker *a, const struct question *q,
                      void (*answered)(void *own, const struct answer *answer),
                      void *own);
void ask_cancel(struct ask *ask);

#endif
