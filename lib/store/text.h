/*
 * text.h - the small text files beside the messages, read and written whole.
 *
 * Names are relative to a folder's descriptor.
 */
#ifndef STORE_TEXT_H
#define STORE_TEXT_H

#include <sys/stat.h>

#include "base/arena.h"
#include "base/why.h"

/* Which state of a file was read: any change of it makes another stamp. */
struct text_stamp {
    uint64_t ino;
    int64_t size, mtime; /* nanoseconds */
};

struct text_stamp text_stamp_of(const struct stat *st);
bool text_stamp_eq(const struct text_stamp *a, const struct text_stamp *b);

/* The stamp of a file; all zero where there is none. False with errno. */
bool text_stat(int dir, const char *name, struct text_stamp *stamp);

/*
 * All bytes from offset `from` to the end, NUL behind them; a file that is not
 * there is empty, with a zero stamp. TEMP where it is larger than `max`, is no
 * regular file, or cannot be read.
 */
enum rc text_read(struct arena *a, int dir, const char *name, off_t from,
                  off_t max, struct str *text, struct text_stamp *stamp,
                  struct why *why) MUST_USE;

/* Replace it: a file NAME.tmp, on disk, then renamed. The folder is synced
 * too. One writer at a time: the caller holds a lock. */
enum rc text_write(int dir, const char *name, struct str text,
                   struct text_stamp *stamp, struct why *why) MUST_USE;

/*
 * Make one that there is none of yet. It is not on disk before text_settle; if
 * the machine stops before that, it may be empty. *fd is the caller's.
 */
enum rc text_make(int dir, const char *name, struct str text,
                  struct text_stamp *stamp, int *fd, struct why *why) MUST_USE;
/* Several that were made so, in one folder, are on disk: a journal takes files
 * and names in one commit. */
enum rc text_settle(int dir, const int *fds, size_t count,
                    struct why *why) MUST_USE;

/* Add whole lines at the end; on disk if `sync`. A failure cuts off what was
 * written. The file must be there. */
enum rc text_append(int dir, const char *name, struct str lines, bool sync,
                    struct text_stamp *stamp, struct why *why) MUST_USE;

#endif
