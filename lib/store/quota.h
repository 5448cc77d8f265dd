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
 * has grown, says that the user is over a limit, or cannot be read, all is
 * counted anew from the file names. So a delivery that knows nothing of the
 * index can ask.
 *
 * Ours hold a shared lock on the file from before the change until its line is
 * written, and whoever counts holds the lock alone: no message is counted twice
 * or not at all. What adds writes its line first, what removes writes it last:
 * whoever is killed in between leaves a count that is too high, which is found
 * out when it says that there is too much.
 */
#ifndef STORE_QUOTA_H
#define STORE_QUOTA_H

#include "mail/quota_rule.h"
#include "store/store.h"

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

/* The limits that the file at a root was counted under; none where there is no
 * file. */
struct quota_limits quota_limits_of(const char *root);

/* A change that is under way. */
struct quota_turn {
    int fd; /* -1: there is no file, nobody counts */
    const char *root;
    bool changed, watched;
    struct quota_sum before, now; /* if watched: at its first line, and with all
                                     of its lines */
};

/*
 * Around a change of ours. `root` is the Maildir's path, and stays valid until
 * quota_end. What cannot be noted is no failure: it is counted again some day.
 */
void quota_begin(const char *root, struct quota_turn *turn);
/* So much more has come, or gone (below 0). */
void quota_note(struct quota_turn *turn, int64_t bytes, int64_t messages);
void quota_end(struct quota_turn *turn);

/* Nobody knows how much it is now: the next who asks counts. */
void quota_forget(const char *root);

/*
 * Who wants to hear, in this process, that a change of ours crossed a line: the
 * first of them that it did, when the change has been noted. Each change finds
 * what others noted before it in the file, so of many processes one hears of a
 * crossing.
 */
struct quota_watch {
    const struct quota_line *lines;
    size_t count;
    void (*crossed)(const char *root, const struct quota_line *line,
                    const struct quota_sum *now);
};

/* From now on; it stays valid. */
void quota_watch(const struct quota_watch *watch);

#endif
