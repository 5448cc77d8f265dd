/*
 * leave.h - messages on their way out of a mailbox, expunged or moved.
 */
#ifndef STORE_LEAVE_H
#define STORE_LEAVE_H

#include "store/own.h"

struct leaving_file {
    uint32_t uid;
    bool in_new;
    const char *name;
    bool done; /* the file is not there any more */
    struct index_message message;
};

struct leaving {
    VEC(struct leaving_file) files;
    bool in_new; /* some are */
};

/* In a transaction, to an empty list: the messages of the set, or those of them
 * that have \Deleted. */
void leave_list(struct kv_env *kv, struct arena *a,
                const struct index_folder *f, struct uid_set set, bool deleted,
                struct leaving *list);

/* In a transaction that writes: those that are done leave the index. */
enum rc leave_index(struct mailbox *box, struct index_folder *f,
                    const struct leaving *list, struct why *why) MUST_USE;

#endif
