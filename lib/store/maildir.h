/*
 * maildir.h - delivery into a Maildir (https://cr.yp.to/proto/maildir.html).
 *
 * A path is that of the Maildir, with or without "/" at its end, and `root`
 * what maildir_root says of it. File names are
 * TIME.MusecPpidQcount.host,S=size,W=vsize: unique without asking the file
 * system, and Dovecot finds the sizes in them. What is stored is noted for the
 * quota (quota.h).
 */
#ifndef STORE_MAILDIR_H
#define STORE_MAILDIR_H

#include "store/store.h"

/* A name that no file has, without ",S=". */
const char *maildir_unique(struct arena *a);

/*
 * The Maildir of the home that a delivery into `path` belongs to: where quota
 * is counted, and who listens is found. A folder of Maildir++ (".Name") belongs
 * to the one above it. With folders in folders (fs) it is the highest one above
 * it of the same owner, as the root is the Maildir of INBOX.
 */
const char *maildir_root(struct arena *a, const char *path, bool fs);

/*
 * Save a copy in new/ by way of tmp/, on disk before it shows. Missing folders
 * are made, mode 0700. Its name there is as safe as the removal of the queue
 * file that follows: on another file system than the queue's it is on disk.
 */
enum rc maildir_save(struct arena *a, const char *root, const char *path,
                     const struct store_message *m, struct why *why) MUST_USE;

/*
 * Is new/ on the file system `dev`? Missing folders are made first; whatever
 * goes wrong is false.
 */
bool maildir_is_on(struct arena *a, const char *path, dev_t dev);

/*
 * Give the file a name in new/: the claim of ARCHITECTURE.md, no copy and no
 * sync. The file is `size` bytes with so many LFs (-1: not known), on disk, and
 * the caller's. False with errno where that cannot be.
 */
bool maildir_link(struct arena *a, const char *root, const char *path, int fd,
                  off_t size, off_t lines) MUST_USE;

#endif
