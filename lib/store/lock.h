/*
 * lock.h - one writer at a time in a mailbox file.
 *
 * Kernel locks first, then FILE.lock, both without waiting inside (Debian
 * Policy 11.6): whoever cannot have all lets go of what it has, waits, and
 * tries again.
 */
#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include "store/store.h"

enum { LOCK_FCNTL = 1, LOCK_FLOCK = 2, LOCK_DOT = 4 };

struct lock_policy {
    unsigned kinds;       /* LOCK_ bits */
    int64_t attempts;     /* deliver_lock_attempts */
    int64_t delay, stale; /* deliver_lock_delay, stale_lock_time; ms */
    bool dot_may_fail;    /* go on where FILE.lock cannot be made */
};

/* "fcntl, dotlock" as bits. PERM with the word that is none, or for none. */
enum rc lock_parse(const char *list, unsigned *kinds, struct why *why) MUST_USE;

/* Take all locks. TEMP 4.2.0 where somebody else keeps one. *dot tells if
 * FILE.lock was made; kernel locks end when fd is closed. */
enum rc lock_take(struct arena *a, int fd, const char *path,
                  const struct lock_policy *policy, bool *dot,
                  struct why *why) MUST_USE;

/* Remove FILE.lock. */
void lock_remove_dot(struct arena *a, const char *path);

#endif
