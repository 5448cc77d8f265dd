/*
 * watch.h - told at once when files change (inotify).
 *
 * One for all of a process. It only says where to look: mailbox_sync or
 * folders_list find out what happened, cheaply where it was ourselves. What
 * another process stored in the index it tells itself (tell.h).
 *
 * What is watched has an owner, any address that is not NULL; it comes back
 * when something has changed there.
 */
#ifndef STORE_WATCH_H
#define STORE_WATCH_H

#include "store/mailbox.h"

struct watcher;

enum rc watcher_new(struct watcher **w, struct why *why) MUST_USE;
void watcher_free(struct watcher *w);

/* Readable when there is something for watcher_next. */
int watcher_fd(const struct watcher *w);

/* The following fail with TEMP where the kernel's limit is reached: then only
 * looking now and then helps; with PERM 5.2.0 where there is no such folder. */

/* Watch the messages (new/ and cur/) of a mailbox, which is the owner, and
 * whether it goes. */
enum rc watcher_add(struct watcher *w, struct mailbox *box,
                    struct why *why) MUST_USE;
/* The same of a folder that is not open, at a path of the home. */
enum rc watcher_add_messages(struct watcher *w, const struct home *home,
                             const char *path, void *owner,
                             struct why *why) MUST_USE;
/* Watch for folders in the folder at a path, which come and go; "." is the
 * root, where all are that do not lie in another one (fs layout); and there for
 * subscriptions, special uses and notes as well. */
enum rc watcher_add_folders(struct watcher *w, const struct home *home,
                            const char *path, void *owner,
                            struct why *why) MUST_USE;

/* Watch a folder, at a path, of files that are replaced and removed whole. */
enum rc watcher_add_list(struct watcher *w, const char *path, void *owner,
                         struct why *why) MUST_USE;

/* Forget all that this one owns. Before a mailbox is closed. */
void watcher_drop(struct watcher *w, const void *owner);

/* What kind of thing has changed. */
enum watch_kind { WATCH_MAILBOX, WATCH_MESSAGES, WATCH_FOLDERS, WATCH_LIST };

/* The owner of something that may have changed, each once, or NULL: wait
 * again. */
void *watcher_next(struct watcher *w, enum watch_kind *kind);

#endif
