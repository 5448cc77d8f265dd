/*
 * deposit.h - files that become messages of a mailbox, all at once: what
 * appending, copying and moving have in common.
 */
#ifndef STORE_DEPOSIT_H
#define STORE_DEPOSIT_H

#include "store/own.h"

struct deposit_file {
    const char *from; /* its name, relative to from_dir */
    int from_dir;
    const char *base; /* that it gets; must be new */
    bool link;        /* from stays: one more name; else it is renamed */
    bool needed;      /* it is a failure if it is missing */
    bool fresh;       /* the user has so much more then */
    struct str guid;  /* of the message it is a copy of, or empty */
    struct index_message message; /* all but modseq and id */

    const char *to; /* its name in cur/ */
    bool done;      /* it has that */
    bool missing;   /* from is not there */
    uint32_t uid;
    struct str fields; /* of its line in dovecot-uidlist */
};

/* What else belongs into the transaction, once all have their UIDs. */
typedef enum rc deposit_more(void *own, struct index_folder *f,
                             struct why *why);

/*
 * Give them UIDs and names in cur/; on disk with OK. Files that are missing
 * are left out. With a failure none of them is in cur/ (those that were
 * renamed are back at `from`).
 */
enum rc deposit(struct mailbox *box, struct deposit_file *files, size_t count,
                deposit_more *more, void *own, struct why *why) MUST_USE;

/* By the holder of dovecot-uidlist.lock: remove what a process that was killed
 * had begun to deposit. *removed tells if there was any. */
enum rc deposit_recover(struct mailbox *box, bool *removed,
                        struct why *why) MUST_USE;

#endif
