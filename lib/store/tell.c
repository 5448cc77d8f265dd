#include "store/tell.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/maildir.h"
#include "store/own.h"
#include "store/scan.h"
#include "sys/disk.h"

#define FOLDER   "posta-listeners"
#define FIFO_LEN 4096
#define LIST_LEN 32768 /* of names, some 500: the others are not told */
#define UNBORN_S 60    /* a FIFO without its name yet */

static int
open_folder(int dir, const char *path)
{
    return openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Only a FIFO that somebody reads can be opened, or what is none at all. */
static int
open_fifo(int folder, const char *name)
{
    return openat(folder, name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
}

/* ---- all that are there */

typedef void each_fifo(void *own, int folder, const char *name);

static void
list(int folder, each_fifo *each, void *own)
{
    _Alignas(struct dirent64) char data[LIST_LEN];
    ssize_t n = lseek(folder, 0, SEEK_SET) < 0
                    ? -1
                    : getdents64(folder, data, sizeof data);

    for (ssize_t at = 0; at < n;) {
        const struct dirent64 *e = (const void *)(data + at);

        if (e->d_type == DT_FIFO || e->d_type == DT_UNKNOWN)
            each(own, folder, e->d_name);
        at += e->d_reclen;
    }
}

/* ---- telling */

struct telling {
    struct str line;
    const char *self; /* who tells, and need not hear; or NULL */
    size_t others;
};

static void
tell_one(void *own, int folder, const char *name)
{
    struct telling *t = own;
    struct stat st;

    if (name[0] == '.' || (t->self && strcmp(name, t->self) == 0))
        return;
    auto_close int fd = open_fifo(folder, name);

    if (fd < 0)
        return; /* of a process that was killed */
    t->others++;
    /* Whoever shares the home may have put anything there. */
    if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
        (void)!write(fd, t->line.p, t->line.len);
}

void
tell_delivered(struct arena *a, const char *root, const char *path)
{
    struct str rest = str_from(path + strlen(root));
    auto_close int folder =
        open_folder(AT_FDCWD, arena_fmt(a, "%s/" FOLDER, root));
    struct telling t = {0};

    if (folder < 0)
        return;
    while (str_starts(rest, S("/")))
        rest = str_sub(rest, 1, rest.len);
    while (str_ends(rest, S("/")))
        rest.len--;
    t.line =
        str_from(arena_fmt(a, "%.*s\n", STR(rest.len > 0 ? rest : S("."))));
    list(folder, tell_one, &t);
}

/* Mostly there is nobody else, which costs one system call. */
void
home_tell(struct home *h, struct str path)
{
    struct telling t = {.self = h->listener};
    char line[PATH_LEN + 2];
    struct timespec now;
    int64_t mtime;

    if (h->listeners < 0)
        h->listeners = open_folder(h->dir, FOLDER);
    if (h->listeners < 0)
        return;
    mtime = dir_mtime(h->listeners);
    if (mtime == 0) { /* it has been removed */
        close(h->listeners);
        h->listeners = -1;
        return;
    }
    if (mtime == h->alone)
        return;
    snprintf(line, sizeof line, "%.*s\n", STR(path));
    t.line = str_from(line);
    list(h->listeners, tell_one, &t);
    clock_gettime(CLOCK_REALTIME, &now);
    h->alone =
        t.others == 0 && scan_settled(mtime, now.tv_sec * INT64_C(1000000000) +
                                                 now.tv_nsec)
            ? mtime
            : 0;
}

/* ---- listening */

/* Those of processes that were killed. */
static void
remove_dead(void *unused, int folder, const char *name)
{
    struct stat st;

    (void)unused;
    if (name[0] == '.') {
        if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISFIFO(st.st_mode) && st.st_mtime + UNBORN_S < time(NULL))
            unlinkat(folder, name, 0);
        return;
    }
    auto_close int fd = open_fifo(folder, name);

    if (fd < 0 && errno == ENXIO)
        unlinkat(folder, name, 0);
}

/* It gets its name when it is open, so that nobody takes it for a dead one. */
static int
make_fifo(int folder, struct arena *a, const char *name)
{
    const char *unborn = arena_fmt(a, ".%s", name);

    if (mkfifoat(folder, unborn, 0600) < 0)
        return -1;
    int fd =
        openat(folder, unborn, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0) {
        fcntl(fd, F_SETPIPE_SZ, FIFO_LEN);
        (void)!disk_share(fd, folder, "");
        if (renameat(folder, unborn, folder, name) == 0)
            return fd;
        close(fd);
    }
    unlinkat(folder, unborn, 0);
    return -1;
}

enum rc
home_listen(struct home *h, int *fd, struct why *why)
{
    if (h->listener == NULL) {
        if (!disk_make_dir(h->dir, FOLDER) && errno != EEXIST)
            return store_fail(errno, why, "cannot make " FOLDER);
        if (h->listeners < 0)
            h->listeners = open_folder(h->dir, FOLDER);
        if (h->listeners < 0)
            return store_fail(errno, why, "cannot open " FOLDER);
        list(h->listeners, remove_dead, NULL);

        const char *name = maildir_unique(h->arena);

        h->ear = make_fifo(h->listeners, h->arena, name);
        if (h->ear < 0)
            return store_fail(errno, why, "cannot make a FIFO in " FOLDER);
        h->listener = name;
        h->alone = 0;
    }
    *fd = h->ear;
    return OK;
}

void
home_listen_end(struct home *h)
{
    if (h->listener) {
        unlinkat(h->listeners, h->listener, 0);
        close(h->ear);
    }
    if (h->listeners >= 0)
        close(h->listeners);
    h->listener = NULL;
    h->listeners = -1;
}

struct heard
home_hear(struct home *h, struct arena *a)
{
    char data[2 * FIFO_LEN];
    ssize_t n = read(h->ear, data, sizeof data);
    struct str rest = {data, n > 0 ? (size_t)n : 0}, line;
    VEC(struct str) lines = {0};
    struct heard heard = {0};

    /* Perhaps there was no room for more. */
    heard.all = rest.len + PATH_LEN >= FIFO_LEN;
    while (rest.len > 0) {
        str_cut(&rest, '\n', &line);
        *vec_add(&lines) = arena_str(a, line);
    }
    heard.count = lines.len;
    struct str *at = arena_alloc(a, (lines.len + 1) * sizeof *at);

    for (size_t i = 0; i < lines.len; i++)
        at[i] = lines.at[i];
    vec_free(&lines);
    heard.at = at;
    return heard;
}
