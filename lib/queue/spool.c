#include "queue/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/disk.h"

#define PARTS      SPOOL_PARTS
#define CLAIMED    0600 /* ARCHITECTURE.md, "Claiming" */
#define RECLAIM_MS 3000 /* deliveries may still use it, for all together */

static const char *const names[SPOOL_FOLDERS] = {
    [SPOOL_INCOMING] = "incoming",
    [SPOOL_DEFERRED] = "deferred",
    [SPOOL_HOLD] = "hold",
    [SPOOL_CORRUPT] = "corrupt",
};

static unsigned
part_of(struct queue_id id)
{
    return (id.is_long ? id.tail : (unsigned)id.time) % PARTS;
}

char *
spool_path(enum spool_folder folder, struct queue_id id, int64_t seal,
           char path[SPOOL_PATH_MAX])
{
    char name[QUEUE_NAME_MAX];

    queue_name(id, seal, name);
    if (folder == SPOOL_DEFERRED)
        snprintf(path, SPOOL_PATH_MAX, "%s/%02X/%s", names[folder], part_of(id),
                 name);
    else
        snprintf(path, SPOOL_PATH_MAX, "%s/%s", names[folder], name);
    return path;
}

const char *
spool_folder_name(enum spool_folder folder)
{
    return names[folder];
}

bool
spool_folder_find(struct str name, enum spool_folder *folder)
{
    for (size_t i = 0; i < SPOOL_FOLDERS; i++)
        if (str_eq(name, str_from(names[i]))) {
            *folder = (enum spool_folder)i;
            return true;
        }
    return false;
}

static enum rc
make_folder(int dir, const char *path, uid_t uid, gid_t gid, struct why *why)
{
    if (mkdirat(dir, path, 0700) < 0) {
        if (errno == EEXIST)
            return OK;
        return fail(why, "4.3.0", "cannot make the queue folder %s: %m", path);
    }
    if (geteuid() == 0 &&
        fchownat(dir, path, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
        return fail(why, "4.3.0", "cannot give away the queue folder %s: %m",
                    path);
    return OK;
}

enum rc
spool_make(int dir, uid_t uid, gid_t gid, struct why *why)
{
    char path[32];
    enum rc rc = OK;

    for (size_t i = 0; i < SPOOL_FOLDERS && rc == OK; i++)
        rc = make_folder(dir, names[i], uid, gid, why);
    for (unsigned i = 0; i < PARTS && rc == OK; i++) {
        snprintf(path, sizeof path, "%s/%02X", names[SPOOL_DEFERRED], i);
        rc = make_folder(dir, path, uid, gid, why);
    }
    return rc;
}

/* Until whoever has it locked is done, or the time is over. */
static void
wait_for_lock(int fd, int *ms_left)
{
    for (; *ms_left > 0 && !disk_lock(fd) && errno == EWOULDBLOCK; --*ms_left)
        usleep(1000);
}

static void
reclaim(int dir, const char *path, uid_t uid, gid_t gid, int *ms_left)
{
    auto_close int fd = disk_open(dir, path, O_RDONLY);
    struct stat st;

    if (fd < 0) {
        log_warn("cannot open %s: %m", path);
        return;
    }
    wait_for_lock(fd, ms_left);
    if (fstat(fd, &st) == 0 && st.st_nlink == 1 && st.st_uid != uid &&
        fchown(fd, uid, gid) < 0)
        log_warn("cannot take %s back: %m", path);
}

void
spool_reclaim(int dir, uid_t uid, gid_t gid)
{
    struct spool_walk w = spool_walk(dir, SPOOL_INCOMING);
    struct queue_id id;
    struct stat st;
    int64_t seal;
    int ms_left = RECLAIM_MS;
    char path[SPOOL_PATH_MAX];

    while (spool_next(&w, &id, &seal)) {
        spool_path(SPOOL_INCOMING, id, seal, path);
        if (fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(st.st_mode) && st.st_nlink == 1 &&
            (st.st_mode & 0777) == CLAIMED)
            reclaim(dir, path, uid, gid, &ms_left);
    }
}

struct spool_walk
spool_walk(int dir, enum spool_folder folder)
{
    return (struct spool_walk){.dir = dir, .folder = folder};
}

void
spool_walk_end(struct spool_walk *w)
{
    if (w->stream)
        closedir(w->stream);
    w->stream = NULL;
    w->part = PARTS;
}

/* The folder, or the next part of it. A part may be missing. */
static bool
open_part(struct spool_walk *w)
{
    char path[32];
    int parts = w->folder == SPOOL_DEFERRED ? PARTS : 1;

    while (w->stream == NULL && w->part < parts) {
        if (parts == 1)
            snprintf(path, sizeof path, "%s", names[w->folder]);
        else
            snprintf(path, sizeof path, "%s/%02X", names[w->folder],
                     (unsigned)w->part & 0xff);
        w->part++;

        int fd = openat(w->dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0 && errno != ENOENT)
            log_warn("cannot read the queue folder %s: %m", path);
        if (fd >= 0)
            w->stream = fdopendir(fd);
    }
    return w->stream != NULL;
}

bool
spool_next(struct spool_walk *w, struct queue_id *id, int64_t *seal)
{
    while (open_part(w)) {
        struct dirent *d = readdir(w->stream);

        if (d == NULL) {
            closedir(w->stream);
            w->stream = NULL;
            continue;
        }
        if (d->d_name[0] == '.')
            continue;
        if (queue_name_parse(str_from(d->d_name), id, seal))
            return true;
        w->strange++;
    }
    return false;
}

bool
spool_find(int dir, struct queue_id want, enum spool_folder *folder,
           int64_t *seal)
{
    for (int f = SPOOL_INCOMING; f < SPOOL_CORRUPT; f++) {
        struct spool_walk w = spool_walk(dir, (enum spool_folder)f);
        struct queue_id id;

        while (spool_next(&w, &id, seal)) {
            if (id.time != want.time || id.tail != want.tail ||
                id.is_long != want.is_long)
                continue;
            spool_walk_end(&w);
            *folder = (enum spool_folder)f;
            return true;
        }
    }
    return false;
}
