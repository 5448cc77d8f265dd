/*
 * disk.h - every call on files that may lose mail.
 *
 * Names are relative to a folder's descriptor. Functions that return a
 * descriptor return -1 with errno where they fail, the others false with
 * errno. All of a write is written, or the call fails.
 *
 * Builds with DISK_FAULT (make MODE=fault) can make a call fail or kill the
 * process in its place. The environment says which:
 *
 *     POSTA_DISK_FAULT=N[/EACH]:WHAT[:PROGRAM[:COUNTER]]
 *
 * WHAT is eio, enospc, edquot, kill, or stop, with which the call is made when
 * somebody lets the process go on. N counts from 1; with EACH so many
 * calls later it happens again, and so on. Only the program of
 * that name counts (all where it is empty). COUNTER is the path of a file of
 * at least 8 bytes in which all processes count together.
 */
#ifndef SYS_DISK_H
#define SYS_DISK_H

#include <dirent.h>
#include <sys/types.h>

#include "base/str.h"

/*
 * What is made in a folder that its group may write to is the group's, too: it
 * gets that group, which may do with it what its owner may. `folder` is
 * relative to dir, "" dir itself. False with errno; where the folder is no such
 * one, nothing is done.
 */
bool disk_share(int fd, int dir, const char *folder);

/* A new folder, mode 0700 or shared as the one it is in. False with errno. */
bool disk_make_dir(int dir, const char *name);

/* A new file, open for reading and writing; EEXIST if the name is taken. */
int disk_create(int dir, const char *name, mode_t mode);
/* An existing file; flags are O_RDONLY, O_RDWR ... Never follows a link. */
int disk_open(int dir, const char *name, int flags);

/* A folder, to list what is in it: never one behind a link. NULL with errno. */
DIR *disk_list(int dir, const char *name);

/* Up to len bytes from offset `at`; less only at the end of the file. */
ssize_t disk_read(int fd, char *data, size_t len, off_t at);

/* Write at the descriptor's position, or at an offset. */
bool disk_write(int fd, struct str data);
bool disk_pwrite(int fd, struct str data, off_t at);

/* Cut the file off (or extend it with NULs). */
bool disk_truncate(int fd, off_t size);

/* The bytes from..to of `in` to the position of `out`. */
bool disk_copy(int out, int in, off_t from, off_t to);

/* What has been written is on the medium (fdatasync); so are the names in a
 * folder (fsync). */
bool disk_sync(int fd);
bool disk_sync_dir(int dir);
/* A hint that disk_sync is to come: of several files that were begun before,
 * the first sync brings all on the medium, as a rule. */
void disk_sync_soon(int fd);

/* Give a finished file its public name, replacing what had it (rename). */
bool disk_publish(int dir, const char *from, const char *to);
/* The same from one folder to another. */
bool disk_move(int dir, const char *from, int to_dir, const char *to);
/* Give an open file one more name; EEXIST if it is taken. */
bool disk_link_fd(int fd, int dir, const char *name);
/* Give a file one more name; EEXIST if it is taken. */
bool disk_link(int dir, const char *from, int to_dir, const char *to);
bool disk_remove(int dir, const char *name);

/* Give the file to a user; uid or gid -1 stays as it is. */
bool disk_give(int fd, uid_t uid, gid_t gid, mode_t mode);
bool disk_mode(int fd, mode_t mode);

/*
 * Lock it, for whoever has this open file, also after they were handed it or
 * forked; it ends when the last of them closes it. Does not wait: EWOULDBLOCK
 * where others have it open and locked.
 */
bool disk_lock(int fd);

#endif
