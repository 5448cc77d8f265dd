#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "qmgr.h"
#include "queue/journal.h"
#include "queue/spool.h"
#include "sys/disk.h"

#define LATER_MAX_MS 60000
#define IN_USE_MS    1000

static char *
path_of(const struct entry *e, char path[SPOOL_PATH_MAX])
{
    return spool_path((enum spool_folder)e->folder, shelf_id(e), e->seal, path);
}

bool
load_remove(const struct entry *e)
{
    char path[SPOOL_PATH_MAX];

    if (disk_remove(qmgr.dir, path_of(e, path)) || errno == ENOENT)
        return true;
    log_warn("cannot remove %s: %m", path);
    return false;
}

bool
load_move(struct entry *e, unsigned folder)
{
    char from[SPOOL_PATH_MAX], to[SPOOL_PATH_MAX];

    if (e->folder == folder)
        return true;
    path_of(e, from);
    spool_path((enum spool_folder)folder, shelf_id(e), e->seal, to);
    if (!disk_move(qmgr.dir, from, qmgr.dir, to)) {
        log_warn("cannot move %s to %s: %m", from, to);
        return false;
    }
    e->folder = (uint8_t)folder;
    return true;
}

/* After the back-off, but within a minute: the disk may be well again. */
static bool
later(struct entry *e)
{
    int64_t wait = qmgr.conf->minimal_backoff_time;

    shelf_set(qmgr.shelf, e, SHELF_DUE,
              now_ms() + (wait < LATER_MAX_MS ? wait : LATER_MAX_MS));
    return false;
}

static void
in_use(struct entry *e)
{
    shelf_set(qmgr.shelf, e, SHELF_DUE, now_ms() + IN_USE_MS);
}

static bool
gone(struct entry *e, bool remove)
{
    if (remove)
        load_remove(e);
    shelf_remove(qmgr.shelf, e);
    return false;
}

/* Two names: it stands in the mailbox, and only our name was left over. */
static bool
is_delivered(const struct entry *e)
{
    struct stat st;
    char path[SPOOL_PATH_MAX];

    return fstatat(qmgr.dir, path_of(e, path), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           st.st_nlink > 1;
}

static bool
open_entry(struct entry *e, int *fd)
{
    char path[SPOOL_PATH_MAX], id[QUEUE_ID_MAX];

    if (*fd >= 0)
        return true;
    *fd = disk_open(qmgr.dir, path_of(e, path), O_RDWR);
    if (*fd >= 0)
        return true;
    if (errno == EACCES && is_delivered(e))
        return gone(e, true);
    log_warn("%s: cannot open %s: %m", queue_id_text(shelf_id(e), id), path);
    return errno == ENOENT ? gone(e, false) : later(e);
}

/*
 * A file without a footer: unless it was being claimed (mode 0600), nobody was
 * told that it is accepted.
 */
static bool
was_claimed(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && (st.st_mode & 0777) == 0600;
}

/* The agent that an earlier qmgr lent it to is still at work. */
static bool
is_lent(int fd)
{
    return was_claimed(fd) && !disk_lock(fd) && errno == EWOULDBLOCK;
}

/* The delivery block knows sender and recipient; the route is asked for. */
static bool
rebuild(struct entry *e, int fd, struct queue_file *f, struct why *why)
{
    struct queue_place at = {.seal = e->seal};
    struct envelope env;

    return queue_read_delivery_block(qmgr.scratch, fd, &at, &env) &&
           queue_add_envelope(qmgr.scratch, fd, &at, &env, true) &&
           queue_load(qmgr.scratch, fd, e->seal, f, why) == QUEUE_WHOLE;
}

static bool
set_aside(struct entry *e, const struct why *why)
{
    char id[QUEUE_ID_MAX];

    log_error("%s: %s; the file is set aside in %s",
              queue_id_text(shelf_id(e), id), why->text,
              spool_folder_name(SPOOL_CORRUPT));
    load_move(e, SPOOL_CORRUPT);
    return gone(e, false);
}

static bool
unfinished(struct entry *e, int fd, struct queue_file *f, struct why *why)
{
    if (e->folder != SPOOL_INCOMING)
        return set_aside(e, why);
    if (!was_claimed(fd))
        return gone(e, true);
    if (is_delivered(e))
        return gone(e, true);
    return rebuild(e, fd, f, why) || set_aside(e, why);
}

static bool
load_file(struct entry *e, int fd, struct queue_file *f)
{
    struct why why;
    char id[QUEUE_ID_MAX];

    switch (queue_load(qmgr.scratch, fd, e->seal, f, &why)) {
    case QUEUE_WHOLE:
        return true;
    case QUEUE_UNFINISHED:
        return unfinished(e, fd, f, &why);
    case QUEUE_DAMAGED:
        return set_aside(e, &why);
    default:
        log_warn("%s: %s", queue_id_text(shelf_id(e), id), why.text);
        return later(e);
    }
}

bool
load_entry(struct entry *e, int *fd, struct queue_file *f)
{
    if (!open_entry(e, fd))
        return false;
    if (is_lent(*fd))
        in_use(e);
    else if (load_file(e, *fd, f))
        return true;
    close(*fd);
    *fd = -1;
    return false;
}

bool
load_copy_over(struct entry *e, int *fd, struct queue_place *at)
{
    struct queue_file f;
    struct why why;
    char path[SPOOL_PATH_MAX];
    int64_t seal = e->seal;
    struct queue_place new = {.seal = seal + 1 ? seal + 1 : 1};

    if (queue_load(qmgr.scratch, *fd, seal, &f, &why) != QUEUE_WHOLE)
        return false;
    spool_path((enum spool_folder)e->folder, shelf_id(e), new.seal, path);

    int out = disk_create(qmgr.dir, path, 0700);

    if (out < 0)
        return false;
    if (!queue_copy(qmgr.scratch, out, *fd, &f, &new)) {
        close(out);
        disk_remove(qmgr.dir, path);
        return false;
    }
    load_remove(e);
    close(*fd);
    *fd = out;
    *at = new;
    e->seal = new.seal;
    return true;
}
