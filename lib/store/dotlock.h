/*
 * dotlock.h - the lock files of a Maildir, as Dovecot has them.
 *
 * A file with "PID:HOST" that is made anew. One whose process is gone is taken
 * away, and one that is two minutes old where nobody can tell, or where its
 * process keeps it for all the time that we wait.
 */
#ifndef STORE_DOTLOCK_H
#define STORE_DOTLOCK_H

#include "base/why.h"

/* TEMP 4.2.0 where somebody else has it for longer than `wait` milliseconds;
 * 0 tries once. */
enum rc dotlock_take(int dir, const char *name, int64_t wait,
                     struct why *why) MUST_USE;
void dotlock_drop(int dir, const char *name);

#endif
