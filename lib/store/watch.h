/*
 * watch.h - told at once when a mailbox's files change (inotify).
 *
 * One for all mailboxes of a process. It only says which folder to look at:
 * mailbox_sync finds out what happened, cheaply where it was ourselves. What
 * another process stored in the index shows when its flags reach the names.
 */
#ifndef STORE_WATCH_H
#define STORE_WATCH_H

#include "store/mailbox.h"

struct watcher;

enum rc watcher_new(struct watcher **w, struct why *why) MUST_USE;
void watcher_free(struct watcher *w);

/* Readable when there is something for watcher_next. */
int watcher_fd(const struct watcher *w);

/* Watch new/ and cur/. TEMP where the kernel's limit is reached; then only
 * looking now and then helps. */
enum rc watcher_add(struct watcher *w, struct mailbox *box,
                    struct why *why) MUST_USE;
/* Before the mailbox is closed. */
void watcher_drop(struct watcher *w, struct mailbox *box);

/* A mailbox that may have changed, each once, or NULL: wait again. */
struct mailbox *watcher_next(struct watcher *w);

#endif
