/*
 * checker.h - the side that answers: what auth-worker and auth-pam share. Each
 * process serves one link, one question at a time.
 */
#ifndef AUTHD_CHECKER_H
#define AUTHD_CHECKER_H

#include <sys/types.h>

#include "base/arena.h"
#include "check.h"
#include "daemon/child.h"

/*
 * Serve connections until the worker is to end. Only that user may ask. The
 * answer's views live in the arena, which is wiped after each question.
 */
void checker_serve(struct daemon *d, uid_t asks,
                   void (*check)(struct arena *a, const struct question *q,
                                 struct answer *answer));

#endif
