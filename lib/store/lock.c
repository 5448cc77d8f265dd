#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sys/disk.h"

static const struct {
    const char *name;
    unsigned kind;
} kinds_of[] = {
    {"fcntl",   LOCK_FCNTL},
    {"flock",   LOCK_FLOCK},
    {"dotlock", LOCK_DOT  },
};

static unsigned
kind_of(struct str word)
{
    for (size_t i = 0; i < COUNT(kinds_of); i++)
        if (str_ieq(word, str_from(kinds_of[i].name)))
            return kinds_of[i].kind;
    return 0;
}

enum rc
lock_parse(const char *list, unsigned *kinds, struct why *why)
{
    struct str rest = str_from(list), word;

    *kinds = 0;
    while (str_word(&rest, " ,\t\r\n", &word)) {
        unsigned kind = kind_of(word);

        if (kind == 0)
            return fail(why, "5.3.5",
                        "\"%.*s\" is no way to lock: fcntl, flock, dotlock",
                        STR(word));
        *kinds |= kind;
    }
    if (*kinds == 0)
        return fail(why, "5.3.5", "no way to lock is given");
    return OK;
}

enum try {
    TAKEN,
    BUSY,
    BROKEN,
};

static enum try
outcome(int result)
{
    if (result == 0)
        return TAKEN;
    return errno == EAGAIN || errno == EACCES || errno == EINTR ? BUSY : BROKEN;
}

static enum try
take_kernel_locks(int fd, unsigned kinds)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    enum try t = TAKEN;

    /* Owned by this open file, so that no other close in here ends it. */
    if (kinds & LOCK_FCNTL)
        t = outcome(fcntl(fd, F_OFD_SETLK, &all));
    if (t == TAKEN && (kinds & LOCK_FLOCK))
        t = outcome(flock(fd, LOCK_EX | LOCK_NB));
    return t;
}

static void
drop_kernel_locks(int fd, unsigned kinds)
{
    struct flock none = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

    if (kinds & LOCK_FCNTL)
        fcntl(fd, F_OFD_SETLK, &none);
    if (kinds & LOCK_FLOCK)
        flock(fd, LOCK_UN);
}

static const char *
dot_name(struct arena *a, const char *path)
{
    return arena_fmt(a, "%s.lock", path);
}

/* Left behind by somebody who died. */
static bool
is_stale(const char *dot, int64_t stale)
{
    struct stat st;

    return lstat(dot, &st) == 0 && S_ISREG(st.st_mode) &&
           (time(NULL) - st.st_mtime) * 1000 > stale;
}

static enum try
take_dot(struct arena *a, const char *path, int64_t stale)
{
    const char *dot = dot_name(a, path);
    int fd = disk_create(AT_FDCWD, dot, 0644);

    if (fd < 0 && errno == EEXIST && is_stale(dot, stale) &&
        disk_remove(AT_FDCWD, dot))
        fd = disk_create(AT_FDCWD, dot, 0644);
    if (fd < 0)
        return errno == EEXIST ? BUSY : BROKEN;

    /* Others look whether that process still lives. */
    char pid[16];
    int len = snprintf(pid, sizeof pid, "%d\n", (int)getpid());

    (void)!write(fd, pid, (size_t)len);
    close(fd);
    return TAKEN;
}

static void
wait_a_little(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

enum rc
lock_take(struct arena *a, int fd, const char *path,
          const struct lock_policy *policy, bool *dot, struct why *why)
{
    *dot = false;
    for (int64_t i = 1;; i++) {
        enum try t = take_kernel_locks(fd, policy->kinds);

        if (t == BROKEN)
            return fail(why, "4.2.0",
                        "unable to lock for exclusive access: %m");
        if (t == TAKEN && (policy->kinds & LOCK_DOT)) {
            t = take_dot(a, path, policy->stale);
            *dot = t == TAKEN;
        }
        if (t == BROKEN && policy->dot_may_fail)
            return OK;
        if (t == BROKEN)
            return fail(why, "4.2.0", "unable to create lock file %s.lock: %m",
                        path);
        if (t == TAKEN)
            return OK;
        drop_kernel_locks(fd, policy->kinds);
        if (i >= policy->attempts)
            return fail(why, "4.2.0",
                        "unable to lock for exclusive access: it is in use");
        wait_a_little(policy->delay);
    }
}

void
lock_remove_dot(struct arena *a, const char *path)
{
    (void)!disk_remove(AT_FDCWD, dot_name(a, path));
}
