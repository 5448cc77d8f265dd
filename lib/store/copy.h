/*
 * copy.h - messages copied or moved into another folder, all of them at once.
 */
#ifndef STORE_COPY_H
#define STORE_COPY_H

#include "store/flags.h"

struct copy_how {
    bool move;        /* they leave `from` */
    bool no_keywords; /* the copies have none */
    unsigned flags;   /* FLAG_ bits that copies may have */
};

/*
 * Copy the messages of the set from one mailbox to another, which may be the
 * same, or of another home. A copy is one more name of the same file where the
 * file system allows, keeps flags, keywords (as far as the target has room for
 * them), INTERNALDATE and EMAILID, and gets a new SAVEDATE.
 *
 * Moved, a message is in one of the two folders whatever happens. Messages that
 * are gone are left out. from_uids and to_uids have the same count and order
 * (COPYUID); with a failure they tell what had been done before, which stays.
 */
enum rc copy_messages(struct mailbox *from, struct uid_set set,
                      struct mailbox *to, const struct copy_how *how,
                      struct arena *a, struct uid_set *from_uids,
                      struct uid_set *to_uids, struct why *why) MUST_USE;

#endif
