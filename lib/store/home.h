/*
 * home.h - all the mail of one user: a tree of Maildirs and one index.
 *
 * The process runs as the user. One process normally serves all sessions of a
 * user with one home; deliveries, other programs, and a second process with a
 * home of its own may work in the same files at any time.
 */
#ifndef STORE_HOME_H
#define STORE_HOME_H

#include "store/store.h"

struct home;

struct home_settings {
    const char *root;  /* the Maildir that is INBOX */
    const char *index; /* folder of the index; NULL: root/posta-index */
    bool fs;           /* folders in folders, instead of Maildir++'s ".A.B" */
    char separator;    /* in names on our side, '/' or '.'; 0: '/' */
    bool bare;         /* it can only be read, and has no index here: what
                          folders there are, their ACLs and notes */
};

/* Open it; the Maildir and the index are made where they are missing. A
 * damaged index is made anew. */
enum rc home_open(const struct home_settings *settings, struct home **home,
                  struct why *why) MUST_USE;

/* All mailboxes have been closed. */
void home_close(struct home *home);

/* Where the index is, and whatever else may be lost can be kept. */
const char *home_index(const struct home *home);

/* The root's path; fs: folders in folders. */
const char *home_root(const struct home *home, bool *fs);

/* Are mailboxes open? */
bool home_in_use(const struct home *home);

/* Commits so far are on the medium: now and then, and when nobody works. */
enum rc home_sync(struct home *home, struct why *why) MUST_USE;

/* Nobody may need it for long: keep little in memory. */
void home_rest(const struct home *home);

/* Where the folder of that name (UTF-8) is, below the root, as on disk: "." is
 * INBOX. PERM 5.1.1... for a name that cannot be one. */
enum rc home_path(const struct home *home, struct arena *a, struct str name,
                  const char **path, struct why *why) MUST_USE;

/* The name of the folder at a path; a NULL view for what is no name that
 * home_path gives that path. */
struct str home_name(const struct home *home, struct arena *a, struct str path);

#endif
