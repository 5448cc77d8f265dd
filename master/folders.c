#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

#define LOCK_TRIES    100
#define LOCK_PAUSE_NS 50000000

/*
 * The folders of the queue. The group of mail_owner is a role's way into
 * private/, where other software puts sockets for it (Dovecot's auth).
 */
enum owner { BY_ROOT, BY_MAIL, BY_AUTH };
enum group { OF_ROOT, OF_MAIL, OF_DROP, OF_AUTH };

static const struct folder {
    const char *name; /* NULL: data_directory */
    enum owner owner;
    enum group group;
    mode_t mode;
    bool keep_mode; /* what is there may be stricter or wider */
} folders[] = {
    {"incoming", BY_MAIL, OF_MAIL, 0700,  false},
    {"deferred", BY_MAIL, OF_MAIL, 0700,  false},
    {"hold",     BY_MAIL, OF_MAIL, 0700,  false},
    {"corrupt",  BY_MAIL, OF_MAIL, 0700,  false},
    {"public",   BY_MAIL, OF_DROP, 02710, false},
    {"private",  BY_MAIL, OF_MAIL, 0710,  false},
    {"maildrop", BY_MAIL, OF_DROP, 01730, false},
    {"auth",     BY_AUTH, OF_AUTH, 0700,  false},
    {NULL,       BY_MAIL, OF_MAIL, 0700,  true },
};

struct owners {
    struct priv_user mail, auth;
    gid_t drop;
};

/* Users that are not there have been told of with the roles. */
static bool
find_owners(const struct plan *plan, struct owners *o, struct problems *p)
{
    struct why why;

    if (!master.root)
        return true;
    if (priv_find_group(plan->conf->setgid_group, &o->drop, &why) != OK) {
        problem(p,
                "setgid_group = %s: %s; make it with \"posta init\", or "
                "\"groupadd --system %s\"",
                plan->conf->setgid_group, why.text, plan->conf->setgid_group);
        return false;
    }
    return priv_find_user(plan->conf->mail_owner, &o->mail, &why) == OK &&
           priv_find_user(plan->conf->auth_owner, &o->auth, &why) == OK;
}

static bool
is_folder(const char *path, struct stat *st, struct problems *p)
{
    if (fstatat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW) < 0)
        problem(p, "folder %s: %m", path);
    else if (!S_ISDIR(st->st_mode))
        problem(p, "%s is not a folder; move it away", path);
    else
        return true;
    return false;
}

/* One folder, below an open one or anywhere. */
static void
prepare(const struct folder *f, const char *path, const struct owners *o,
        struct problems *p)
{
    struct stat st;
    const uid_t uids[] = {0, o->mail.uid, o->auth.uid};
    const gid_t gids[] = {0, o->mail.gid, o->drop, o->auth.gid};
    uid_t uid = uids[f->owner];
    gid_t gid = gids[f->group];
    bool made = mkdir(path, 0700) == 0;

    if (!made && errno != EEXIST) {
        problem(p, "cannot make folder %s: %m", path);
        return;
    }
    if (!is_folder(path, &st, p))
        return;
    if (master.root && made && lchown(path, uid, gid) < 0)
        problem(p, "cannot give folder %s to user %u: %m", path, uid);
    else if (master.root && !made && st.st_uid != uid)
        problem(p,
                "folder %s belongs to user %u, must belong to %u: "
                "\"posta set-permissions\", or chown -R %u %s",
                path, st.st_uid, uid, uid, path);
    else if (master.root && !f->keep_mode && st.st_gid != gid &&
             lchown(path, uid, gid) < 0)
        problem(p, "cannot give folder %s to group %u: %m", path, gid);
    else if ((made || !f->keep_mode) && (st.st_mode & 07777) != f->mode &&
             chmod(path, f->mode) < 0)
        problem(p, "cannot set the mode of folder %s: %m", path);
    else if (!master.root && access(path, R_OK | W_OK | X_OK) < 0)
        problem(p, "folder %s: %m; it must be yours", path);
}

static const char *
full_path(const struct plan *plan, const char *name)
{
    return name ? arena_fmt(plan->life, "%s/%s", plan->conf->queue_directory,
                            name)
                : plan->conf->data_directory;
}

static void
prepare_pid(const struct plan *plan, struct problems *p)
{
    const char *path = full_path(plan, plan->conf->process_id_directory);
    struct stat st;

    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        problem(p, "cannot make folder %s: %m", path);
    else
        (void)!is_folder(path, &st, p);
}

void
folders_prepare(const struct plan *plan, struct problems *p)
{
    const char *top = plan->conf->queue_directory;
    struct owners owners = {0};

    if (top[0] != '/') {
        problem(p, "%s/main.cf: queue_directory = %s: must begin with /",
                plan->config.dir, top);
        return;
    }
    if (chdir(top) < 0) {
        problem(p,
                "%s/main.cf: queue_directory = %s: %m; make it with \"posta "
                "init\", or \"mkdir %s\"",
                plan->config.dir, top, top);
        return;
    }
    if (!find_owners(plan, &owners, p))
        return;
    prepare_pid(plan, p);
    for (size_t i = 0; i < COUNT(folders); i++)
        prepare(&folders[i], full_path(plan, folders[i].name), &owners, p);
    master.queue = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* ---- the lock */

static const char *
pid_path(const struct plan *plan)
{
    return arena_fmt(plan->life, "%s/%s/master.pid",
                     plan->conf->queue_directory,
                     plan->conf->process_id_directory);
}

static pid_t
read_pid(int fd)
{
    char text[32] = "";
    uint64_t pid;

    if (pread(fd, text, sizeof text - 1, 0) <= 0 ||
        !str_num(str_trim(str_from(text)), &pid) || pid > INT32_MAX)
        return 0;
    return (pid_t)pid;
}

static struct {
    int fd; /* for reading: whoever inherits it cannot change the pid */
    const char *path;
} lock = {.fd = -1};

/* A master that ends removes its file; one that is locked must still be the
 * one of that name. */
static bool
still_there(int fd, const char *path)
{
    struct stat mine, now;

    return fstat(fd, &mine) == 0 && stat(path, &now) == 0 &&
           mine.st_ino == now.st_ino && mine.st_dev == now.st_dev;
}

/* 1 locked, 0 not, -1 the file is another by now. */
static int
try_lock(int fd, const char *path)
{
    /* A master that was just killed needs a moment to be gone, and its
     * children to follow. */
    for (int tries = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; tries++) {
        pid_t pid = read_pid(fd);
        bool alive = pid > 0 && kill(pid, 0) == 0;

        if (tries == (alive ? LOCK_TRIES / 10 : LOCK_TRIES))
            return 0;
        nanosleep(&(struct timespec){.tv_nsec = LOCK_PAUSE_NS}, NULL);
    }
    return still_there(fd, path) ? 1 : -1;
}

bool
folders_lock(const struct plan *plan, struct problems *p)
{
    const char *path = pid_path(plan);
    int locked = -1;

    while (locked < 0) {
        int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

        if (fd < 0) {
            problem(p, "cannot open %s: %m", path);
            return false;
        }
        locked = try_lock(fd, path);
        if (locked == 1) {
            lock.fd = fd;
            lock.path = arena_fmt(master.life, "%s", path);
            return true;
        }
        if (locked == 0)
            problem(p, "the mail system is already running, as process %d (%s)",
                    (int)read_pid(fd), path);
        close(fd);
    }
    return false;
}

int
folders_lock_file(void)
{
    return lock.fd;
}

pid_t
folders_running(const struct plan *plan)
{
    auto_close int fd = open(pid_path(plan), O_RDONLY | O_CLOEXEC);

    if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB) == 0)
        return 0;
    return read_pid(fd);
}

void
folders_write_pid(void)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%d\n", (int)getpid());
    auto_close int fd = open(lock.path, O_WRONLY | O_TRUNC | O_CLOEXEC);

    if (fd < 0 || write(fd, text, (size_t)len) != len)
        log_fatal("cannot write %s: %m", lock.path);
}

void
folders_remove_pid(void)
{
    if (lock.fd >= 0)
        unlink(lock.path);
}
