#include "store/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "store/store.h"
#include "sys/disk.h"

struct text_stamp
text_stamp_of(const struct stat *st)
{
    return (struct text_stamp){
        .ino = st->st_ino,
        .size = st->st_size,
        .mtime = st->st_mtim.tv_sec * INT64_C(1000000000) + st->st_mtim.tv_nsec,
    };
}

bool
text_stamp_eq(const struct text_stamp *a, const struct text_stamp *b)
{
    return a->ino == b->ino && a->size == b->size && a->mtime == b->mtime;
}

bool
text_stat(int dir, const char *name, struct text_stamp *stamp)
{
    struct stat st;

    *stamp = (struct text_stamp){0};
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT;
    *stamp = text_stamp_of(&st);
    return true;
}

enum rc
text_read(struct arena *a, int dir, const char *name, off_t from, off_t max,
          struct str *text, struct text_stamp *stamp, struct why *why)
{
    auto_close int fd = disk_open(dir, name, O_RDONLY | O_NONBLOCK);
    struct stat st;

    *text = (struct str){0};
    *stamp = (struct text_stamp){0};
    if (fd < 0 && errno == ENOENT)
        return OK;
    if (fd < 0 || fstat(fd, &st) < 0)
        return store_fail(errno, why, "cannot read %s", name);
    if (!S_ISREG(st.st_mode) || st.st_size > max)
        return fail(why, "4.2.0", "%s is no file of a sensible size", name);
    *stamp = text_stamp_of(&st);
    if (from >= st.st_size)
        return OK;

    size_t size = (size_t)(st.st_size - from);
    char *p = arena_alloc(a, size + 1);
    ssize_t n = disk_read(fd, p, size, from);

    if (n < 0)
        return store_fail(errno, why, "cannot read %s", name);
    *text = (struct str){p, (size_t)n};
    return OK;
}

static bool
fill(int fd, struct str text, bool sync, struct text_stamp *stamp)
{
    struct stat st;

    if (!disk_write(fd, text) || (sync && !disk_sync(fd)) || fstat(fd, &st) < 0)
        return false;
    *stamp = text_stamp_of(&st);
    return true;
}

/* Under its name, and if `sync` on disk before that. -1 with why. */
static int
make(int dir, const char *name, struct str text, bool sync,
     struct text_stamp *stamp, struct why *why)
{
    char tmp[280];

    snprintf(tmp, sizeof tmp, "%s.tmp", name);
    int fd = disk_create(dir, tmp, 0600);

    /* Left by somebody who was killed: the caller has the lock. */
    if (fd < 0 && errno == EEXIST && disk_remove(dir, tmp))
        fd = disk_create(dir, tmp, 0600);
    if (fd >= 0 && disk_share(fd, dir, "") && fill(fd, text, sync, stamp) &&
        disk_publish(dir, tmp, name))
        return fd;
    (void)!store_fail(errno, why, "cannot write %s", name);
    if (fd >= 0)
        close(fd);
    (void)!disk_remove(dir, tmp);
    return -1;
}

enum rc
text_write(int dir, const char *name, struct str text, struct text_stamp *stamp,
           struct why *why)
{
    auto_close int fd = make(dir, name, text, true, stamp, why);

    if (fd < 0)
        return rc_of(why->dsn);
    return disk_sync_dir(dir) ? OK
                              : store_fail(errno, why, "cannot write %s", name);
}

enum rc
text_make(int dir, const char *name, struct str text, struct text_stamp *stamp,
          int *fd, struct why *why)
{
    *fd = make(dir, name, text, false, stamp, why);
    if (*fd < 0)
        return rc_of(why->dsn);
    disk_sync_soon(*fd);
    return OK;
}

enum rc
text_settle(int dir, const int *fds, size_t count, struct why *why)
{
    bool good = true;

    for (size_t i = 0; good && i < count; i++)
        good = disk_sync(fds[i]);
    return good && disk_sync_dir(dir)
               ? OK
               : store_fail(errno, why, "cannot write a new folder's files");
}

enum rc
text_append(int dir, const char *name, struct str lines, bool sync,
            struct text_stamp *stamp, struct why *why)
{
    auto_close int fd = disk_open(dir, name, O_WRONLY | O_APPEND);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return store_fail(errno, why, "cannot write %s", name);

    off_t size = st.st_size;

    if (disk_write(fd, lines) && (!sync || disk_sync(fd)) &&
        fstat(fd, &st) == 0) {
        *stamp = text_stamp_of(&st);
        return OK;
    }

    enum rc rc = store_fail(errno, why, "cannot write %s", name);

    (void)!disk_truncate(fd, size);
    return rc;
}
