#include "store/append.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/deposit.h"
#include "store/maildir.h"
#include "store/ranges.h"
#include "sys/disk.h"

#define PIECE 65536

struct append {
    struct mailbox *box;
    struct arena *arena;
    VEC(struct deposit_file) files;
    int tmp; /* the folder */
    int fd;  /* of the last file */
    int64_t date;
    uint64_t size, vsize;
    bool cr; /* a CR that may belong to a LF */
    char out[PIECE];
    size_t used;
};

struct append *
append_new(struct mailbox *box)
{
    struct arena *a = arena_new("append", (size_t)256 << 20);
    struct append *ap = arena_make(a, struct append);

    ap->box = box;
    ap->arena = a;
    ap->fd = -1;
    ap->tmp = openat(box->dir, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (ap->tmp < 0 && errno == ENOENT && disk_make_dir(box->dir, "tmp"))
        ap->tmp = openat(box->dir, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return ap;
}

static bool
flush(struct append *ap)
{
    struct str out = {ap->out, ap->used};

    ap->used = 0;
    return out.len == 0 || disk_write(ap->fd, out);
}

/* The date is the file's mtime. */
static bool
finish_file(struct append *ap)
{
    const struct timespec times[] = {{.tv_nsec = UTIME_NOW},
                                     {.tv_sec = ap->date}};

    return flush(ap) && futimens(ap->fd, times) == 0;
}

static void
put_cr(struct append *ap)
{
    ap->out[ap->used++] = '\r';
    ap->size++;
    ap->vsize++;
}

static enum rc
finish(struct append *ap, struct why *why)
{
    struct deposit_file *file;
    enum rc rc = OK;

    if (ap->fd < 0)
        return OK;
    file = &ap->files.at[ap->files.len - 1];
    if (ap->cr)
        put_cr(ap);
    ap->cr = false;
    if (!finish_file(ap))
        rc = store_fail(errno, why, "cannot store the message");
    close(ap->fd);
    ap->fd = -1;
    file->base =
        arena_fmt(ap->arena, "%s,S=%llu,W=%llu", file->from,
                  (unsigned long long)ap->size, (unsigned long long)ap->vsize);
    file->message.size = ap->size;
    file->message.vsize = ap->vsize;
    file->message.date = ap->date;
    file->message.saved = time(NULL);
    return rc;
}

enum rc
append_message(struct append *ap, unsigned flags, uint64_t keywords,
               int64_t date, struct why *why)
{
    enum rc rc = finish(ap, why);

    if (rc != OK)
        return rc;

    const char *name = maildir_unique(ap->arena);

    ap->fd = disk_create(ap->tmp, name, 0600);
    if (ap->fd < 0 || !disk_share(ap->fd, ap->tmp, ""))
        return store_fail(errno, why, "cannot store the message");
    ap->date = date;
    ap->size = ap->vsize = 0;
    *vec_add(&ap->files) = (struct deposit_file){
        .from = name,
        .from_dir = ap->tmp,
        .needed = true,
        .fresh = true,
        .message = {.flags = flags, .keywords = keywords},
    };
    return OK;
}

/* A CR goes out with what follows it, unless that is a LF. */
static void
put(struct append *ap, char c)
{
    if (ap->cr && c != '\n')
        put_cr(ap);
    ap->cr = c == '\r';
    if (ap->cr)
        return;
    ap->out[ap->used++] = c;
    ap->size++;
    ap->vsize += c == '\n' ? 2 : 1;
}

enum rc
append_write(struct append *ap, struct str bytes, struct why *why)
{
    must(ap->fd >= 0);
    for (size_t i = 0; i < bytes.len; i++) {
        if (ap->used + 2 >= PIECE && !flush(ap))
            return store_fail(errno, why, "cannot store the message");
        put(ap, bytes.p[i]);
    }
    return OK;
}

static void
release(struct append *ap)
{
    vec_free(&ap->files);
    if (ap->fd >= 0)
        close(ap->fd);
    if (ap->tmp >= 0)
        close(ap->tmp);
    arena_free(ap->arena);
}

void
append_abort(struct append *ap)
{
    for (size_t i = 0; i < ap->files.len; i++)
        (void)!disk_remove(ap->tmp, ap->files.at[i].from);
    release(ap);
}

/* The newest first: what that sync makes the file system write is not written
 * again for the others. */
static enum rc
sync_files(struct append *ap, struct why *why)
{
    for (size_t i = ap->files.len; i-- > 0;) {
        auto_close int fd = disk_open(ap->tmp, ap->files.at[i].from, O_RDONLY);

        if (fd < 0 || !disk_sync(fd))
            return store_fail(errno, why, "cannot store the message");
    }
    return OK;
}

enum rc
append_commit(struct append *ap, struct arena *a, struct uid_set *uids,
              struct why *why)
{
    struct ranges given = {0};
    enum rc rc = finish(ap, why);

    *uids = (struct uid_set){0};
    if (rc == OK)
        rc = sync_files(ap, why);
    if (rc == OK)
        rc = deposit(ap->box, ap->files.at, ap->files.len, NULL, NULL, why);
    if (rc != OK) {
        append_abort(ap);
        return rc;
    }
    for (size_t i = 0; i < ap->files.len; i++)
        ranges_add(&given, ap->files.at[i].uid);
    *uids = ranges_take(&given, a);
    release(ap);
    return OK;
}
