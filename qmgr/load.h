/*
 * load.h - from an entry of the shelf to what its file says; and what becomes
 * of files that say nothing.
 */
#ifndef QMGR_LOAD_H
#define QMGR_LOAD_H

#include "queue/file.h"
#include "shelf.h"

/*
 * Open (where *fd is -1) and load the file of an entry, into the scratch
 * arena. False: there is no message to deliver now. Then the descriptor is
 * closed and the entry is gone (never acknowledged, delivered already, or set
 * aside as corrupt), or stands on the shelf for later.
 */
bool load_entry(struct entry *e, int *fd, struct queue_file *f);

/*
 * A copy of a whole file that is somebody else's by now takes its place: *fd,
 * *at and the entry's name are those of the copy. False with errno.
 */
bool load_copy_over(struct entry *e, int *fd, struct queue_place *at);

/* Remove the file, or move it to another folder; with a log line if not. */
bool load_remove(const struct entry *e);
bool load_move(struct entry *e, unsigned folder);

#endif
