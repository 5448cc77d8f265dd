/*
 * tell.h - processes tell each other where a home has changed.
 *
 * Whoever wants to hear of it has a FIFO in the folder posta-listeners of the
 * home's root; who has changed something writes a line into each: the path of
 * the folder that has other messages or flags now, or an empty line for all
 * else (folders, their names, rights, notes, subscriptions).
 *
 * That is a hint of where to look now instead of later (watch.h) and says
 * nothing else, so it need not be believed, and may be lost. The rights are
 * those of the files: who may make files in a home may listen and tell there.
 * A FIFO holds a page and nobody waits for room in it.
 */
#ifndef STORE_TELL_H
#define STORE_TELL_H

#include "store/home.h"

/* A message has come into the Maildir at that path, without a home; its root is
 * that of maildir_root. */
void tell_delivered(struct arena *a, const char *root, const char *path);

/* Listen until the home is closed: *fd, the home's, is readable when there is
 * something to hear. What the home's own object changes is not told to it. TEMP
 * where that cannot be. */
enum rc home_listen(struct home *home, int *fd, struct why *why) MUST_USE;

/* Before that, where the process ends without closing it. */
void home_listen_end(struct home *home);

struct heard {
    const struct str *at; /* paths as home_path has them; empty: all else */
    size_t count;
    bool all; /* and perhaps more: look everywhere */
};

/* What has been told since, in the arena. */
struct heard home_hear(struct home *home, struct arena *a);

#endif
