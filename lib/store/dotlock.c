#include "store/dotlock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/store.h"
#include "sys/disk.h"

#define STALE_AFTER 120 /* seconds */
#define PAUSE       2   /* ms */

enum owner {
    DEAD,
    ALIVE,
    UNKNOWN, /* on another machine, or not written down */
};

/* The process that the lock file names. */
static enum owner
owner_of(int fd)
{
    char text[300], host[65] = "";
    ssize_t n = pread(fd, text, sizeof text, 0);
    struct str rest = {text, n > 0 ? (size_t)n : 0}, pid;
    uint64_t number;

    gethostname(host, sizeof host - 1);
    str_cut(&rest, ':', &pid);
    if (!str_num(pid, &number) || number == 0 || number > INT32_MAX ||
        !str_eq(str_trim(rest), str_from(host)))
        return UNKNOWN;
    /* A lock is never taken twice: one of ours could not be removed. */
    if ((pid_t)number == getpid())
        return DEAD;
    return kill((pid_t)number, 0) == 0 || errno != ESRCH ? ALIVE : DEAD;
}

/* Whoever lives is believed to be at work, unless he goes on for all the time
 * that we wait: a machine may have slept for hours with the lock taken, and a
 * number may have become another process's. */
static bool
is_stale(int fd, time_t made, bool waited)
{
    enum owner owner = owner_of(fd);
    bool old = time(NULL) - made >= STALE_AFTER;

    return owner == DEAD || (old && (owner == UNKNOWN || waited));
}

static bool
is_named(int dir, const char *name, ino_t ino)
{
    struct stat named;

    return fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           named.st_ino == ino;
}

/*
 * Remove the lock file of somebody who died. Under flock, so that of two who
 * try only one removes it. The name is looked at last: an owner who let go of
 * his lock and ended since we opened it has made room for another's.
 */
static bool
remove_stale(int dir, const char *name, bool waited)
{
    auto_close int fd =
        openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;

    if (fd < 0)
        return errno == ENOENT;
    return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 &&
           is_stale(fd, st.st_mtime, waited) &&
           is_named(dir, name, st.st_ino) && disk_remove(dir, name);
}

static void
sign(int fd)
{
    char text[100], host[65] = "";

    gethostname(host, sizeof host - 1);
    int len = snprintf(text, sizeof text, "%d:%s", (int)getpid(), host);

    (void)!write(fd, text, (size_t)len);
}

static bool
make_own(struct dotlock_file *own)
{
    auto_close int fd = disk_create(AT_FDCWD, own->path, 0600);

    /* Of a process that was killed and had our number. */
    if (fd < 0 && errno == EEXIST && disk_remove(AT_FDCWD, own->path))
        fd = disk_create(AT_FDCWD, own->path, 0600);
    if (fd < 0)
        return false;
    sign(fd);
    own->made = true;
    return true;
}

/* Its time is that of the lock. EEXIST where somebody has that; with any other
 * errno it cannot be used. */
static bool
link_own(struct dotlock_file *own, int dir, const char *name)
{
    struct stat st;

    errno = EPERM;
    if (own->useless || fstat(dir, &st) < 0 || (st.st_mode & S_IWGRP))
        return false;
    if (!own->made && !make_own(own)) {
        errno = EPERM;
        return false;
    }
    if (utimensat(AT_FDCWD, own->path, NULL, AT_SYMLINK_NOFOLLOW) == 0 &&
        disk_link(AT_FDCWD, own->path, dir, name))
        return true;
    if (errno == ENOENT)
        own->made = false; /* somebody removed it */
    else if (errno != EEXIST)
        own->useless = true; /* as on two file systems */
    return false;
}

/* The file shows with the PID in it: whoever is killed in between leaves no
 * lock that nobody owns. */
static bool
make_lock(int dir, const char *name)
{
    auto_close int hidden =
        openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (hidden >= 0) {
        sign(hidden);
        (void)!disk_share(hidden, dir, "");
        if (disk_link_fd(hidden, dir, name))
            return true;
        if (errno == EEXIST)
            return false;
    }
    /* Not every file system can do that. */
    auto_close int fd = disk_create(dir, name, 0600);

    if (fd >= 0) {
        sign(fd);
        (void)!disk_share(fd, dir, "");
    }
    return fd >= 0;
}

static bool
try_lock(int dir, const char *name, struct dotlock_file *own)
{
    if (own && link_own(own, dir, name))
        return true;
    return !(own && errno == EEXIST) && make_lock(dir, name);
}

static int64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

enum rc
dotlock_take(int dir, const char *name, struct dotlock_file *own, int64_t wait,
             struct why *why)
{
    const struct timespec pause = {.tv_nsec = PAUSE * 1000000L};

    for (int64_t end = now_ms() + wait;;) {
        if (try_lock(dir, name, own))
            return OK;
        if (errno != EEXIST)
            return store_fail(errno, why, "cannot make %s", name);

        bool over = now_ms() >= end;

        if (remove_stale(dir, name, over && wait > 0) &&
            try_lock(dir, name, own))
            return OK;
        if (over)
            return fail(why, "4.2.0", "%s is held by another program", name);
        nanosleep(&pause, NULL);
    }
}

void
dotlock_drop(int dir, const char *name)
{
    (void)!disk_remove(dir, name);
}

void
dotlock_file_remove(struct dotlock_file *own)
{
    if (own->made)
        (void)!disk_remove(AT_FDCWD, own->path);
    own->made = false;
}
