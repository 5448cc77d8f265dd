#include "conf/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/disk.h"

/* Does the name still lead to the open file? Another editor may have renamed
 * it away while we waited for its lock. */
static bool
is_same(int fd, const char *path)
{
    struct stat open_file, named;

    return fstat(fd, &open_file) == 0 && stat(path, &named) == 0 &&
           open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

static int
open_locked(const char *tmp)
{
    for (;;) {
        int fd = open(tmp, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd < 0)
            return -1;
        if (flock(fd, LOCK_EX) == 0 && is_same(fd, tmp))
            return fd;
        close(fd);
    }
}

/* The whole file, however long, as far as the arena can hold it and what is
 * made of it. */
static enum rc
read_whole(struct arena *a, const char *path, struct str *text, struct why *why)
{
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0)
        return fail(why, "4.3.5", "open %s: %m", path);
    if (!S_ISREG(st.st_mode) || (size_t)st.st_size > arena_room(a) / 8)
        return fail(why, "5.3.5", "%s is no file, or too large", path);
    char *bytes = arena_alloc(a, (size_t)st.st_size + 1);
    ssize_t len = disk_read(fd, bytes, (size_t)st.st_size, 0);

    if (len < 0)
        return fail(why, "4.3.5", "read %s: %m", path);
    *text = (struct str){bytes, (size_t)len};
    return OK;
}

enum rc
replace_begin(struct arena *a, const char *path, struct replace *r,
              struct str *text, struct why *why)
{
    /* The file a link leads to is replaced, not the link. */
    char *real = realpath(path, NULL);

    r->path = arena_fmt(a, "%s", real ? real : path);
    r->tmp = arena_fmt(a, "%s.tmp", r->path);
    free(real);
    r->fd = open_locked(r->tmp);
    if (r->fd < 0)
        return fail(why, "4.3.5", "open %s: %m", r->tmp);
    enum rc rc = read_whole(a, r->path, text, why);

    if (rc != OK)
        replace_cancel(r);
    return rc;
}

void
replace_cancel(struct replace *r)
{
    unlink(r->tmp);
    close(r->fd);
}

/* An ordinary user who may write a file of another group keeps its mode. */
static bool
take_after(int fd, const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return false;
    mode_t mode = st.st_mode & 07777;

    return disk_give(fd, st.st_uid, st.st_gid, mode) ||
           (errno == EPERM && geteuid() != 0 && disk_mode(fd, mode));
}

/* The new name is on the medium too. */
static bool
sync_folder(const char *path)
{
    char folder[PATH_MAX];

    snprintf(folder, sizeof folder, "%s", path);
    auto_close int dir =
        open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return dir >= 0 && disk_sync_dir(dir);
}

static bool
write_new(const struct replace *r, struct str text)
{
    return disk_truncate(r->fd, 0) && disk_pwrite(r->fd, text, 0) &&
           take_after(r->fd, r->path) && disk_sync(r->fd) &&
           rename(r->tmp, r->path) == 0 && sync_folder(r->path);
}

enum rc
replace_commit(struct replace *r, struct str text, struct why *why)
{
    if (!write_new(r, text)) {
        enum rc rc = fail(why, "4.3.5", "write %s: %m", r->tmp);

        replace_cancel(r);
        return rc;
    }
    close(r->fd);
    return OK;
}
