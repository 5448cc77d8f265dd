/*
 * flags.h - flags and keywords of messages.
 *
 * A change is true in the index at once; the file names follow (flags_flush):
 * some time later, and when the mailbox is closed. What a process that was
 * killed had not written yet, the next one that opens the folder writes.
 */
#ifndef STORE_FLAGS_H
#define STORE_FLAGS_H

#include "store/mailbox.h"

struct uid_range {
    uint32_t first, last;
};

/* In order, not overlapping. */
struct uid_set {
    const struct uid_range *at;
    size_t len;
};

enum flags_how {
    FLAGS_ADD,
    FLAGS_REMOVE,
    FLAGS_REPLACE, /* all of them, also those that have no name here */
};

struct flags_change {
    enum flags_how how;
    unsigned flags;
    uint64_t keywords;
    unsigned kept;            /* FLAGS_REPLACE: flags that stay as they are */
    uint64_t kept_keywords;   /* ... and keywords */
    bool conditional;         /* UNCHANGEDSINCE was given: */
    uint64_t unchanged_since; /* not those that changed after this */
};

struct flags_done {
    uint64_t modseq;         /* of the change; 0: nothing changed */
    uint64_t before;         /* HIGHESTMODSEQ before it */
    struct uid_set changed;  /* in the arena */
    struct uid_set modified; /* failed the condition */
};

enum rc flags_store(struct mailbox *box, struct uid_set set,
                    const struct flags_change *change, struct arena *a,
                    struct flags_done *done, struct why *why) MUST_USE;

/*
 * A session opened the mailbox to change it: the messages from *first on are
 * \Recent to it and to nobody else, and files in new/ go to cur/ with the next
 * flush. On a full disk they are to the next one, too.
 */
enum rc flags_claim_recent(struct mailbox *box, uint32_t *first,
                           struct why *why) MUST_USE;

/* What a flush has left. */
enum flags_left {
    FLAGS_NONE_LEFT,
    FLAGS_MORE_LEFT, /* there is more than `max` */
    FLAGS_FOR_LATER, /* another program had the folder locked, or its files have
                        got other names */
};

/*
 * Rename files, and write posta-state, for what changed: at most about `max`
 * messages, so that it can be done between other things; *left may be NULL.
 * Call it a little after a change. With SIZE_MAX it waits a second for a lock.
 */
enum rc flags_flush(struct mailbox *box, size_t max, enum flags_left *left,
                    struct why *why) MUST_USE;

#endif
