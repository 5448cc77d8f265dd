/*
 * quota.h - how much mail a user has: maildirsize, as Maildir++ and Dovecot
 * have it.
 *
 *     10000000S,5000C        the limits it was counted under
 *        123456    17        what was there when it was counted
 *          1200     1        then changes: bytes and messages
 *         -1200    -1
 *
 * Whoever adds or removes messages adds a line; many may at once. When the file
 * has grown, or says that the user is over a limit, all is counted anew from
 * the file names. So a delivery that knows nothing of the index can ask.
 */
#ifndef STORE_QUOTA_H
#define STORE_QUOTA_H

#include "store/store.h"

struct quota_limits {
    int64_t bytes, messages; /* 0: none */
};

struct quota_sum {
    struct quota_limits limits;
    int64_t bytes, messages;
};

/* Read the file's text; what is no line of it is stepped over. False where the
 * first line is none. */
bool quota_parse(struct str text, struct quota_sum *sum);

/* What the user has now. `root` is the Maildir's path; fs: folders in
 * folders. The file is made where it is missing, or was counted under other
 * limits. */
enum rc quota_get(const char *root, bool fs, const struct quota_limits *limits,
                  struct quota_sum *sum, struct why *why) MUST_USE;

/* May so much more be stored? PERM 5.2.2 where not. */
enum rc quota_check(const char *root, bool fs,
                    const struct quota_limits *limits, int64_t bytes,
                    int64_t messages, struct why *why) MUST_USE;

/* It has been stored, or removed (both below 0). Where there is no file nobody
 * counts, and this does nothing. */
enum rc quota_add(const char *root, int64_t bytes, int64_t messages,
                  struct why *why) MUST_USE;

#endif
