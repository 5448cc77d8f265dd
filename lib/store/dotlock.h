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

/*
 * A file of this process's that can be its lock again and again, by one more
 * name. Where a file system is slow to make files (ext4 passes over all that
 * were removed in the last minutes), a new one for each lock would cost more
 * than what is done under it.
 */
struct dotlock_file {
    const char *path; /* for nobody else; on the same file system */
    bool made, useless;
};

/*
 * TEMP 4.2.0 where somebody else has it for longer than `wait` milliseconds; 0
 * tries once. `own` may be NULL; it is not used in a folder that its group may
 * write to, where others' rights differ.
 */
enum rc dotlock_take(int dir, const char *name, struct dotlock_file *own,
                     int64_t wait, struct why *why) MUST_USE;
void dotlock_drop(int dir, const char *name);

/* Remove the file. */
void dotlock_file_remove(struct dotlock_file *own);

#endif
