/*
 * changes.h - what happened since a modification sequence (RFC 7162), and
 * walks through many messages.
 */
#ifndef STORE_CHANGES_H
#define STORE_CHANGES_H

#include "store/flags.h"
#include "sys/kv_env.h"

/* Messages that changed, or arrived, after `since`. Costs what changed. */
enum rc changes_since(struct mailbox *box, uint64_t since, struct arena *a,
                      struct uid_set *changed, struct why *why) MUST_USE;

/*
 * UIDs that were expunged after `since`. Where the history does not go back so
 * far (mailbox_status.floor): all UIDs up to the next one that no message has,
 * as RFC 7162 3.2.6 wants.
 */
enum rc changes_vanished(struct mailbox *box, uint64_t since, struct arena *a,
                         struct uid_set *vanished, struct why *why) MUST_USE;

/*
 * All messages of a set in order. Until changes_end nothing else may be asked
 * of the home.
 */
struct changes_walk {
    struct mailbox *box;
    struct uid_set set;
    size_t place;
    uint32_t folder;
    struct kv_walk walk;
    char prefix[8], from[16];
    bool walking;
    struct kv_walk blobs[BLOB_KINDS]; /* those that have a cursor */
};

enum rc changes_begin(struct changes_walk *w, struct mailbox *box,
                      struct uid_set set, struct why *why) MUST_USE;
bool changes_next(struct changes_walk *w, struct message *m);
/* Something kept of the message that changes_next returned (mailbox_keep): a
 * view until changes_end. NULL where there is none. */
struct str changes_blob(struct changes_walk *w, uint32_t uid,
                        enum blob_kind kind);
enum rc changes_end(struct changes_walk *w, struct why *why) MUST_USE;

#endif
