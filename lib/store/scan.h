/*
 * scan.h - what scan.c found in a Maildir, for merge.h to take over.
 */
#ifndef STORE_SCAN_H
#define STORE_SCAN_H

#include "store/own.h"
#include "store/uidlist.h"

/* A file that the index does not know. */
struct scan_fresh {
    struct str file;
    struct name_rank rank;
    bool in_new;
    bool measured;     /* as far as the name tells */
    uint32_t uid;      /* 0: none yet */
    struct str fields; /* of its line in dovecot-uidlist */
    struct index_message message;
};

/* A message whose file has another name, or is in the other folder. */
struct scan_moved {
    uint32_t uid;
    bool in_new;
    struct str file;
};

struct scan {
    struct mailbox *box;
    struct arena *arena;
    bool last;             /* no further try: make the best of it */
    struct index_folder f; /* as the index had it */
    bool known;            /* it had it */
    bool list_new, list_cur, read_uidlist, read_keywords, read_state;
    bool stable; /* nothing moved while it was listed */
    bool busy;   /* dovecot-uidlist is locked by somebody */

    int64_t now, new_mtime, cur_mtime;
    struct text_stamp uidlist, keywords, state; /* of the files, before */

    VEC(struct scan_fresh) fresh; /* in order of arrival */
    VEC(struct scan_moved) moved;
    VEC(uint32_t) seen, gone; /* in order, where cur/ was listed */
    uint32_t seen_new;
};

/* Is that mtime so old that no later change could have it too? File systems
 * count in ticks, some in seconds. */
bool scan_settled(int64_t mtime, int64_t now);

/* Write it all into the index. *again: the index has changed since it was
 * compared, or the folder turned out to be another. */
enum rc scan_merge(struct scan *s, bool *again, struct why *why) MUST_USE;

#endif
