/*
 * mbox.h - appending to a mailbox file (the "mboxo" format: ">" before lines
 * that begin with "From ", nothing else quoted), or to any other file.
 */
#ifndef STORE_MBOX_H
#define STORE_MBOX_H

#include "store/lock.h"

struct mbox_policy {
    struct lock_policy lock;
    int64_t limit; /* largest size of the file; 0: none */
    uid_t owner;   /* whose it must be (strict_mailbox_ownership) */
    bool any_owner;
    bool any_kind; /* a destination that somebody named: /dev/null will do */
};

/* "From sender  Thu Jan  1 00:00:00 1970\n"; sender in its external form, and
 * not empty. */
struct str mbox_from_line(struct arena *a, struct str sender, time_t when);

/*
 * Append a message: From_ line, head, quoted content, an empty line; on disk
 * before OK. A file that is not there is made, mode 0600. On failure what was
 * written is cut off again. A symbolic link is followed where root put it into
 * a folder of root's; a file with several names is refused.
 */
enum rc mbox_append(struct arena *a, const char *path, struct str from_line,
                    const struct store_message *m,
                    const struct mbox_policy *policy, struct why *why) MUST_USE;

/*
 * For spool folders that only root may write to: make the file and give it to
 * its owner if it is not there. Called as root.
 */
enum rc mbox_make(const char *path, uid_t uid, gid_t gid,
                  struct why *why) MUST_USE;

#endif
