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

/* Bytes of the file, which are `more` bytes larger with CRLF. False with errno.
 */
static bool
add(struct append *ap, struct str bytes, size_t more)
{
    ap->size += bytes.len;
    ap->vsize += bytes.len + more;
    while (bytes.len) {
        struct str part = str_sub(bytes, 0, PIECE - ap->used);

        memcpy(ap->out + ap->used, part.p, part.len);
        ap->used += part.len;
        bytes = str_sub(bytes, part.len, bytes.len);
        if (ap->used == PIECE && !flush(ap))
            return false;
    }
    return true;
}

/* A CR that was held back, and is no line end's. */
static bool
add_cr(struct append *ap)
{
    bool held = ap->cr;

    ap->cr = false;
    return !held || add(ap, S("\r"), 0);
}

/* The date is the file's mtime. */
static bool
finish_file(struct append *ap, bool sync)
{
    const struct timespec times[] = {{.tv_nsec = UTIME_NOW},
                                     {.tv_sec = ap->date}};

    return add_cr(ap) && flush(ap) && futimens(ap->fd, times) == 0 &&
           (!sync || disk_sync(ap->fd));
}

static enum rc
finish(struct append *ap, bool sync, struct why *why)
{
    struct deposit_file *file;
    enum rc rc = OK;

    if (ap->fd < 0)
        return OK;
    file = &ap->files.at[ap->files.len - 1];
    if (!finish_file(ap, sync))
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
    enum rc rc = finish(ap, false, why);

    if (rc != OK)
        return rc;

    const char *name = maildir_unique(ap->arena);

    ap->fd = disk_create(ap->tmp, name, 0600);
    if (ap->fd < 0)
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
    if (!disk_share(ap->fd, ap->tmp, ""))
        return store_fail(errno, why, "cannot store the message");
    return OK;
}

static size_t
count_lf(struct str s)
{
    size_t count = 0;

    for (ssize_t at; (at = str_find(s, '\n')) >= 0; count++)
        s = str_sub(s, (size_t)at + 1, s.len);
    return count;
}

/* A CR goes out with what follows it, unless that is a LF. */
enum rc
append_write(struct append *ap, struct str bytes, struct why *why)
{
    bool good = true, more = true;
    struct str text;

    must(ap->fd >= 0);
    while (good && more && bytes.len) {
        if (bytes.p[0] == '\n')
            ap->cr = false;
        more = str_cut(&bytes, '\r', &text);
        good = add_cr(ap) && add(ap, text, count_lf(text));
        ap->cr = more;
    }
    return good ? OK : store_fail(errno, why, "cannot store the message");
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

/* All but the last, newest first: what the sync of that made the file system
 * write is not written again for the others. */
static enum rc
sync_others(struct append *ap, struct why *why)
{
    for (size_t i = ap->files.len; i-- > 1;) {
        auto_close int fd =
            disk_open(ap->tmp, ap->files.at[i - 1].from, O_RDONLY);

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
    enum rc rc = finish(ap, true, why);

    *uids = (struct uid_set){0};
    if (rc == OK)
        rc = sync_others(ap, why);
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
