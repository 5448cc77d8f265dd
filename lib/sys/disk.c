#include "sys/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef DISK_FAULT

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

static struct {
    uint64_t when; /* 0: never */
    uint64_t each; /* and again after so many; 0: once */
    int error;     /* of the call; 0: none, but a signal before it */
    int signal;
    _Atomic uint64_t *count, own;
} plan;

static const struct {
    const char *name;
    int error, signal;
} faults[] = {
    {"eio",    EIO,    0      },
    {"enospc", ENOSPC, 0      },
    {"edquot", EDQUOT, 0      },
    {"kill",   0,      SIGKILL},
    {"stop",   0,      SIGSTOP},
};

static _Atomic uint64_t *
shared_counter(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *p = fd < 0 ? MAP_FAILED
                     : mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE,
                            MAP_SHARED, fd, 0);

    if (fd >= 0)
        close(fd);
    return p == MAP_FAILED ? &plan.own : p;
}

/* Before any right to open the counter is given up. */
__attribute__((constructor)) static void
read_plan(void)
{
    const char *env = getenv("POSTA_DISK_FAULT");
    struct str rest = str_from(env), when, what, program, first;

    plan.count = &plan.own;
    str_cut(&rest, ':', &when);
    str_cut(&rest, ':', &what);
    str_cut(&rest, ':', &program);
    if (program.len &&
        !str_eq(program, str_from(program_invocation_short_name)))
        return;
    str_cut(&when, '/', &first);
    if (!str_num(when, &plan.each))
        plan.each = 0;
    for (size_t i = 0; i < COUNT(faults); i++)
        if (str_eq(what, str_from(faults[i].name)) &&
            str_num(first, &plan.when)) {
            plan.error = faults[i].error;
            plan.signal = faults[i].signal;
        }
    if (plan.when && rest.len)
        plan.count = shared_counter(rest.p);
}

static bool
is_turn(uint64_t n)
{
    return n == plan.when ||
           (plan.each && n > plan.when && (n - plan.when) % plan.each == 0);
}

/* True if this call is the one that fails, with errno set. */
static bool
faulty(void)
{
    if (plan.when == 0 || !is_turn(atomic_fetch_add(plan.count, 1) + 1))
        return false;
    if (plan.error == 0) {
        raise(plan.signal);
        return false;
    }
    errno = plan.error;
    return true;
}

#else

static inline bool
faulty(void)
{
    return false;
}

#endif

int
disk_create(int dir, const char *name, mode_t mode)
{
    if (faulty())
        return -1;
    return openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                  mode);
}

bool
disk_share(int fd, int dir, const char *folder)
{
    struct stat in, st;
    mode_t mode;

    if (fstatat(dir, folder, &in, AT_EMPTY_PATH) < 0)
        return false;
    if (!(in.st_mode & S_IWGRP))
        return true;
    if (faulty() || fstat(fd, &st) < 0)
        return false;
    /* Who is not in that group cannot give it: then it stays his own. */
    if (st.st_gid != in.st_gid && fchown(fd, (uid_t)-1, in.st_gid) < 0)
        return errno == EPERM;
    mode = (st.st_mode & 07777) | (st.st_mode & S_IRWXU) >> 3;
    if (S_ISDIR(st.st_mode))
        mode |= in.st_mode & S_ISGID;
    return fchmod(fd, mode) == 0;
}

bool
disk_make_dir(int dir, const char *name)
{
    if (faulty() || mkdirat(dir, name, 0700) < 0)
        return false;
    auto_close int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd >= 0 && disk_share(fd, fd, "..");
}

int
disk_open(int dir, const char *name, int flags)
{
    if (faulty())
        return -1;
    return openat(dir, name, flags | O_CLOEXEC | O_NOFOLLOW);
}

DIR *
disk_list(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);

    if (d == NULL && fd >= 0)
        close(fd);
    return d;
}

ssize_t
disk_read(int fd, char *data, size_t len, off_t at)
{
    size_t done = 0;

    if (faulty())
        return -1;
    while (done < len) {
        ssize_t n = pread(fd, data + done, len - done, at + (off_t)done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

/* A write that stops short without an error is a full disk, next time. */
static bool
write_all(int fd, struct str data, off_t at)
{
    if (faulty())
        return false;
    while (data.len > 0) {
        ssize_t n = at < 0 ? write(fd, data.p, data.len)
                           : pwrite(fd, data.p, data.len, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        data = str_sub(data, (size_t)n, data.len);
        at = at < 0 ? at : at + n;
    }
    return true;
}

bool
disk_write(int fd, struct str data)
{
    return write_all(fd, data, -1);
}

bool
disk_pwrite(int fd, struct str data, off_t at)
{
    must(at >= 0);
    return write_all(fd, data, at);
}

bool
disk_truncate(int fd, off_t size)
{
    return !faulty() && ftruncate(fd, size) == 0;
}

/* For file systems that cannot copy by themselves. */
static bool
copy_bytes(int out, int in, off_t from, off_t to)
{
    char data[65536];

    while (from < to) {
        size_t want = (size_t)(to - from);
        ssize_t n =
            pread(in, data, want < sizeof data ? want : sizeof data, from);

        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = EIO; /* the file is shorter than it was said to be */
        if (n <= 0 || !write_all(out, (struct str){data, (size_t)n}, -1))
            return false;
        from += n;
    }
    return true;
}

bool
disk_copy(int out, int in, off_t from, off_t to)
{
    if (faulty())
        return false;
    /* One read and one write are cheaper than two system calls that fail. */
    while (to - from > 65536) {
        ssize_t n =
            copy_file_range(in, &from, out, NULL, (size_t)(to - from), 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EXDEV || errno == EINVAL ||
                      errno == EOPNOTSUPP || errno == ENOSYS))
            break;
        if (n < 0)
            return false;
        if (n == 0)
            break;
    }
    return copy_bytes(out, in, from, to);
}

bool
disk_sync(int fd)
{
    return !faulty() && fdatasync(fd) == 0;
}

bool
disk_sync_dir(int dir)
{
    return !faulty() && fsync(dir) == 0;
}

void
disk_sync_soon(int fd)
{
    (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

bool
disk_publish(int dir, const char *from, const char *to)
{
    return disk_move(dir, from, dir, to);
}

bool
disk_move(int dir, const char *from, int to_dir, const char *to)
{
    return !faulty() && renameat(dir, from, to_dir, to) == 0;
}

bool
disk_link_fd(int fd, int dir, const char *name)
{
    char path[40];

    if (faulty())
        return false;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW) == 0;
}

bool
disk_link(int dir, const char *from, int to_dir, const char *to)
{
    return !faulty() && linkat(dir, from, to_dir, to, 0) == 0;
}

bool
disk_remove(int dir, const char *name)
{
    return !faulty() && unlinkat(dir, name, 0) == 0;
}

bool
disk_give(int fd, uid_t uid, gid_t gid, mode_t mode)
{
    return !faulty() && fchown(fd, uid, gid) == 0 && fchmod(fd, mode) == 0;
}

bool
disk_mode(int fd, mode_t mode)
{
    return !faulty() && fchmod(fd, mode) == 0;
}

bool
disk_lock(int fd)
{
    return !faulty() && flock(fd, LOCK_EX | LOCK_NB) == 0;
}
