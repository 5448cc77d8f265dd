#include "store/mbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "store/copier.h"
#include "sys/disk.h"

#define OPEN_TRIES 10

struct str
mbox_from_line(struct arena *a, struct str sender, time_t when)
{
    struct tm tm;
    char date[32];

    localtime_r(&when, &tm);
    strftime(date, sizeof date, "%a %b %e %H:%M:%S %Y", &tm);
    return str_from(arena_fmt(a, "From %.*s  %s\n", STR(sender), date));
}

/* Root's own links lead where root wants: /var/mail/x on another disk. */
static bool
is_roots_link(struct arena *a, const char *path)
{
    struct stat link, folder;
    struct str parent = str_from(path);
    ssize_t slash = str_rfind(parent, '/');

    parent.len = slash > 0 ? (size_t)slash : 1;
    return lstat(path, &link) == 0 && link.st_uid == 0 &&
           stat(arena_cstr(a, parent), &folder) == 0 && folder.st_uid == 0 &&
           !(folder.st_mode & (S_IWGRP | S_IWOTH));
}

/* Not waiting for a reader, where it is a FIFO. */
static int
open_once(struct arena *a, const char *path)
{
    const int flags = O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY;
    int fd = disk_open(AT_FDCWD, path, flags);

    if (fd < 0 && errno == ELOOP && is_roots_link(a, path))
        return open(path, flags | O_CLOEXEC);
    if (fd >= 0 || errno != ENOENT)
        return fd;

    auto_close int new = disk_create(AT_FDCWD, path, 0600);

    if (new < 0 && errno != EEXIST)
        return -1;
    return disk_open(AT_FDCWD, path, flags);
}

/* Does the path still lead to this file? Mail readers remove empty boxes. */
static bool
is_there(const char *path, const struct stat *file)
{
    struct stat now;

    return stat(path, &now) == 0 && now.st_ino == file->st_ino &&
           now.st_dev == file->st_dev;
}

static enum rc
check(const char *path, const struct stat *st, const struct mbox_policy *policy,
      struct why *why)
{
    if (!S_ISREG(st->st_mode) && !policy->any_kind)
        return fail(why, "5.2.0", "destination %s is not a regular file", path);
    if (S_ISREG(st->st_mode) && st->st_nlink > 1)
        return fail(why, "5.2.0", "destination %s has %u names", path,
                    (unsigned)st->st_nlink);
    if (policy->any_owner || st->st_uid == policy->owner)
        return OK;
    log_warn("specify \"strict_mailbox_ownership = no\" to ignore mailbox "
             "ownership mismatch");
    return fail(why, "4.2.0", "destination %s is not owned by recipient", path);
}

struct box {
    const char *path;
    int fd;
    struct stat st;
    bool dot; /* FILE.lock is ours */
};

static void
unlock(struct arena *a, struct box *box)
{
    if (box->dot)
        lock_remove_dot(a, box->path);
    if (box->fd >= 0)
        close(box->fd);
    box->dot = false;
    box->fd = -1;
}

static enum rc
open_box(struct arena *a, struct box *box, const struct mbox_policy *policy,
         struct why *why)
{
    enum rc rc;

    box->fd = open_once(a, box->path);
    if (box->fd < 0 && (errno == ELOOP || errno == EISDIR))
        return fail(why, "5.2.0", "destination %s is not a regular file",
                    box->path);
    if (box->fd < 0 || fstat(box->fd, &box->st) < 0)
        return store_fail(errno, why, "cannot open %s", box->path);
    rc = check(box->path, &box->st, policy, why);
    if (rc != OK || !S_ISREG(box->st.st_mode))
        return rc;
    return lock_take(a, box->fd, box->path, &policy->lock, &box->dot, why);
}

/* Open and lock what is there now. */
static enum rc
enter(struct arena *a, struct box *box, const struct mbox_policy *policy,
      struct why *why)
{
    for (int i = 0; i < OPEN_TRIES; i++) {
        enum rc rc = open_box(a, box, policy, why);

        if (rc != OK || !S_ISREG(box->st.st_mode) ||
            is_there(box->path, &box->st))
            return rc;
        unlock(a, box);
    }
    return fail(why, "4.2.0", "%s is always replaced while it is opened",
                box->path);
}

static bool
put(struct box *box, struct str s, int64_t limit)
{
    box->st.st_size += (off_t)s.len;
    if (S_ISREG(box->st.st_mode) && limit > 0 && box->st.st_size > limit) {
        errno = EFBIG;
        return false;
    }
    return disk_write(box->fd, s);
}

static bool
write_message(struct arena *a, struct box *box, struct str from_line,
              const struct store_message *m, int64_t limit)
{
    struct copier_style style = {.quote_from = true, .end_line = true};
    struct copier *c = copier_new(a, m, &style);
    struct str bytes;

    if (!put(box, from_line, limit) || !put(box, m->head, limit))
        return false;
    do
        if (!copier_next(c, &bytes) || !put(box, bytes, limit))
            return false;
    while (bytes.len > 0);
    return put(box, S("\n"), limit);
}

enum rc
mbox_append(struct arena *a, const char *path, struct str from_line,
            const struct store_message *m, const struct mbox_policy *policy,
            struct why *why)
{
    struct box box = {.path = path, .fd = -1};
    enum rc rc = enter(a, &box, policy, why);
    bool regular = S_ISREG(box.st.st_mode);

    if (rc == OK && regular && fstat(box.fd, &box.st) < 0)
        rc = store_fail(errno, why, "cannot look at %s", path);

    off_t before = box.st.st_size;

    if (rc == OK && (!write_message(a, &box, from_line, m, policy->limit) ||
                     (regular && !disk_sync(box.fd)))) {
        rc = store_fail(errno, why, "error writing message");
        if (regular && !disk_truncate(box.fd, before))
            log_warn("%s: cannot cut off a message that was not written: %m",
                     path);
    }
    unlock(a, &box);
    return rc;
}

enum rc
mbox_make(const char *path, uid_t uid, gid_t gid, struct why *why)
{
    auto_close int fd = disk_create(AT_FDCWD, path, 0600);

    if (fd < 0 && errno == EEXIST)
        return OK;
    if (fd < 0 || fchown(fd, uid, gid) < 0)
        return store_fail(errno, why, "cannot make %s", path);
    return OK;
}
