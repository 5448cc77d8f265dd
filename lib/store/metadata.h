/*
 * metadata.h - notes on folders and on the whole account (RFC 5464).
 *
 * posta-metadata in the root has one a line: the folder's path (empty: the
 * account), a tab, the entry ("/private/comment"), a tab, the value in base64.
 */
#ifndef STORE_METADATA_H
#define STORE_METADATA_H

#include "store/home.h"

#define METADATA_FILE    "posta-metadata"
#define METADATA_MAX     ((size_t)1 << 20) /* bytes of the file */
#define METADATA_VALUE   ((size_t)65536)   /* of a value */
#define METADATA_ENTRIES 100               /* of a folder */

struct metadata_note {
    struct str path, entry;
    struct str value; /* p NULL, where it is to be removed */
};

struct metadata_notes {
    struct metadata_note *at;
    size_t count;
};

/* Take the next line off; what is none is stepped over. */
bool metadata_next(struct arena *a, struct str *text, struct metadata_note *n);

enum rc metadata_load(struct home *home, struct arena *a,
                      struct metadata_notes *notes, struct why *why) MUST_USE;

/* Set, change and remove: all of them, or none. Entries are the same in any
 * case. PERM 5.3.4 where a folder would have too many of them, 5.2.2 where
 * there is no more room. */
enum rc metadata_set(struct home *home, const struct metadata_note *notes,
                     size_t count, struct why *why) MUST_USE;

/* The folder is gone (to NULL), or it and those below are called otherwise. */
enum rc metadata_move(struct home *home, struct str from, const char *to,
                      struct why *why) MUST_USE;

#endif
