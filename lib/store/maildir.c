#include "store/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/quota.h"
#include "store/tell.h"
#include "sys/disk.h"

#define DEPTH_MAX 32 /* of a folder in the fs layout */

static struct {
    pid_t pid; /* of the worker: nobody forks after its first delivery */
    unsigned count;
    char host[256];
} names;

/* "/" and ":" mean something in a path and in a Maildir's name. */
static void
name_host(void)
{
    char host[65] = "localhost";
    size_t len = 0;

    gethostname(host, sizeof host - 1);
    for (const char *p = host; *p; p++) {
        const char *code = *p == '/' ? "\\057" : *p == ':' ? "\\072" : NULL;

        if (code) {
            memcpy(names.host + len, code, 4);
            len += 4;
        } else {
            names.host[len++] = *p;
        }
    }
    names.host[len] = '\0';
    names.pid = getpid();
}

const char *
maildir_unique(struct arena *a)
{
    struct timespec now;

    if (names.pid == 0)
        name_host();
    clock_gettime(CLOCK_REALTIME, &now);
    return arena_fmt(a, "%lld.M%ldP%dQ%u.%s", (long long)now.tv_sec,
                     now.tv_nsec / 1000, (int)names.pid, ++names.count,
                     names.host);
}

static const char *
unique(struct arena *a, off_t size, off_t lines)
{
    if (lines < 0)
        return arena_fmt(a, "%s,S=%lld", maildir_unique(a), (long long)size);
    return arena_fmt(a, "%s,S=%lld,W=%lld", maildir_unique(a), (long long)size,
                     (long long)(size + lines));
}

/* Folders above it, as high as the owner's go: which is the root? */
static struct str
highest(struct arena *a, struct str path)
{
    struct str root = path;
    struct stat st;
    uid_t owner = stat(arena_cstr(a, path), &st) == 0 ? st.st_uid : geteuid();
    ssize_t at;

    for (int i = 0; i < DEPTH_MAX && (at = str_rfind(path, '/')) > 0; i++) {
        path.len = (size_t)at;

        const char *above = arena_cstr(a, path);
        bool there = stat(above, &st) == 0;

        if (there ? st.st_uid != owner : errno != ENOENT)
            break;
        if (there && stat(arena_fmt(a, "%s/cur", above), &st) == 0 &&
            S_ISDIR(st.st_mode))
            root = path;
    }
    return root;
}

const char *
maildir_root(struct arena *a, const char *path, bool fs)
{
    struct str whole = str_from(path), last;

    while (whole.len > 1 && str_ends(whole, S("/")))
        whole.len--;
    if (fs)
        return arena_cstr(a, highest(a, whole));
    ssize_t at = str_rfind(whole, '/');

    last = str_sub(whole, (size_t)(at + 1), whole.len);
    if (at > 0 && last.len > 1 && last.p[0] == '.' && last.p[1] != '.')
        whole.len = (size_t)at;
    return arena_cstr(a, whole);
}

static bool
make_folder(const char *path)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* mkdir -p: the last one first, as mostly only that is missing. */
static bool
make_folders(char *path)
{
    if (make_folder(path))
        return true;
    if (errno != ENOENT)
        return false;
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        bool made = make_folder(path);

        *p = '/';
        if (!made)
            return false;
    }
    return make_folder(path);
}

static bool
make_maildir(struct arena *a, const char *path)
{
    static const char *const folders[] = {"tmp", "new", "cur"};

    for (size_t i = 0; i < COUNT(folders); i++)
        if (!make_folders(arena_fmt(a, "%s/%s", path, folders[i])))
            return false;
    return true;
}

static int
create(struct arena *a, const char *path, const char *tmp)
{
    int fd = disk_create(AT_FDCWD, tmp, 0600);

    if (fd < 0 && errno == ENOENT && make_maildir(a, path))
        fd = disk_create(AT_FDCWD, tmp, 0600);
    if (fd >= 0)
        (void)!disk_share(fd, AT_FDCWD, arena_fmt(a, "%s/tmp", path));
    return fd;
}

/* Somebody may have removed "new" alone. */
static bool
publish(struct arena *a, const char *path, const char *tmp, const char *new)
{
    if (disk_move(AT_FDCWD, tmp, AT_FDCWD, new))
        return true;
    return errno == ENOENT && make_maildir(a, path) &&
           disk_move(AT_FDCWD, tmp, AT_FDCWD, new);
}

/*
 * One file system keeps the order of what is done to its names, so the message
 * does not leave the queue before it is here. From another one it might.
 */
static bool
sync_name(struct arena *a, const char *path, int queue_file, int out)
{
    struct stat from, to;

    if (fstat(out, &to) < 0 ||
        (queue_file >= 0 && fstat(queue_file, &from) < 0))
        return false;
    if (queue_file >= 0 && from.st_dev == to.st_dev)
        return true;
    auto_close int dir =
        open(arena_fmt(a, "%s/new", path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return dir >= 0 && disk_sync_dir(dir);
}

/* It was counted when it was about to come; errno stays. */
static void
end_counted(struct quota_turn *turn, bool good, off_t size)
{
    int error = errno;

    if (!good)
        quota_note(turn, -size, -1);
    quota_end(turn);
    errno = error;
}

/* A copy that is on disk gets its name. */
static bool
publish_counted(struct arena *a, const char *root, const char *path,
                const char *name, off_t size)
{
    struct quota_turn turn;

    quota_begin(root, &turn);
    quota_note(&turn, size, 1);
    bool good = publish(a, path, arena_fmt(a, "%s/tmp/%s", path, name),
                        arena_fmt(a, "%s/new/%s", path, name));

    end_counted(&turn, good, size);
    return good;
}

enum rc
maildir_save(struct arena *a, const char *root, const char *path,
             const struct store_message *m, struct why *why)
{
    off_t size = (off_t)m->head.len + m->to - m->from;
    const char *name = unique(a, size, m->lines);
    const char *tmp = arena_fmt(a, "%s/tmp/%s", path, name);
    auto_close int out = create(a, path, tmp);

    if (out < 0)
        return store_fail(errno, why, "create maildir file %s", tmp);
    if (disk_write(out, m->head) && disk_copy(out, m->fd, m->from, m->to) &&
        disk_sync(out) && publish_counted(a, root, path, name, size) &&
        sync_name(a, path, m->fd, out)) {
        tell_delivered(a, root, path);
        return OK;
    }

    enum rc rc = store_fail(errno, why, "error writing message");

    (void)!disk_remove(AT_FDCWD, tmp);
    return rc;
}

bool
maildir_is_on(struct arena *a, const char *path, dev_t dev)
{
    const char *new = arena_fmt(a, "%s/new", path);
    struct stat st;

    if (stat(new, &st) < 0 &&
        (errno != ENOENT || !make_maildir(a, path) || stat(new, &st) < 0))
        return false;
    /* A queue file has no group to share it with: that gets a copy. */
    return st.st_dev == dev && !(st.st_mode & S_IWGRP);
}

bool
maildir_link(struct arena *a, const char *root, const char *path, int fd,
             off_t size, off_t lines)
{
    const char *name = unique(a, size, lines);
    struct quota_turn turn;

    quota_begin(root, &turn);
    quota_note(&turn, size, 1);
    bool good =
        disk_link_fd(fd, AT_FDCWD, arena_fmt(a, "%s/new/%s", path, name));

    end_counted(&turn, good, size);
    if (good)
        tell_delivered(a, root, path);
    return good;
}
