/*
 * The file of a message.
 *
 * Who reads one message after the other from a disk would wait for it each
 * time. So when some in a row were not in memory, the kernel is told of the
 * next ones, which it gets while the first are looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include "store/own.h"
#include "sys/disk.h"

#define TRIES 3
#define ROW   4                  /* files, before it is believed to go on */
#define GAP   8                  /* UIDs between two of a row */
#define AHEAD 32                 /* files */
#define BYTES ((off_t)128 << 10) /* of each */

/* True also where the file system cannot tell. */
static bool
in_memory(int fd)
{
    char byte;
    struct iovec to = {&byte, 1};

    return preadv2(fd, &to, 1, 0, RWF_NOWAIT) >= 0 || errno != EAGAIN;
}

/* Tell the kernel of a file; false where it has it already. */
static bool
announce(struct mailbox *box, const struct index_file *file)
{
    char name[NAME_MAX + 1];

    snprintf(name, sizeof name, "%.*s", STR(file->name));

    auto_close int fd =
        disk_open(file->in_new ? box->new : box->cur, name, O_RDONLY);

    if (fd < 0)
        return true;
    if (in_memory(fd))
        return false;
    (void)!posix_fadvise(fd, 0, BYTES, POSIX_FADV_WILLNEED);
    return true;
}

/* The files behind a UID, as long as they are not in memory. */
static void
announce_next(struct mailbox *box, uint32_t uid)
{
    struct ahead *ahead = &box->ahead;
    struct index_folder f;
    struct index_file file;
    struct index_key prefix, from;
    struct kv_walk w;
    struct why why;

    ahead->next = 0;
    if (mailbox_read(box, &f, &why) != OK)
        return;
    kv_walk_begin(&w, box->home->kv, index_key(&prefix, 'N', f.id),
                  index_key_uid(&from, 'N', f.id, uid + 1));
    for (int i = 0; i < AHEAD && kv_walk_next(&w); i++) {
        if (index_file_of(w.value, &file) && !announce(box, &file))
            break;
        ahead->until = index_uid_of(w.key);
        if (i == AHEAD / 2)
            ahead->next = ahead->until;
    }
    kv_walk_end(&w);
    (void)!mailbox_end(box, &why);
}

static void
look_ahead(struct mailbox *box, uint32_t uid, int fd)
{
    struct ahead *ahead = &box->ahead;
    bool in_row = uid > ahead->last && uid - ahead->last <= GAP;

    if (!in_row)
        *ahead = (struct ahead){0};
    ahead->last = uid;
    if (ahead->row < ROW)
        ahead->row++;
    else if (ahead->next ? uid >= ahead->next : !in_memory(fd))
        announce_next(box, uid < ahead->until ? ahead->until : uid);
}

/* Open it where the index says it is; OK with -1 where it is not there. */
static enum rc
try_file(struct mailbox *box, uint32_t uid, int *fd, bool *known,
         struct why *why)
{
    struct index_folder f;
    struct index_file file;
    char name[300];
    enum rc rc = mailbox_read(box, &f, why);

    *fd = -1;
    if (rc != OK)
        return rc;
    *known = index_file_get(box->home->kv, f.id, uid, &file) &&
             file.name.len < sizeof name;
    if (*known) {
        memcpy(name, file.name.p, file.name.len);
        name[file.name.len] = '\0';
        *fd = disk_open(file.in_new ? box->new : box->cur, name, O_RDONLY);
    }
    int error = errno;

    rc = mailbox_end(box, why);
    if (rc == OK && *known && *fd < 0 && error != ENOENT)
        rc = store_fail(error, why, "cannot open the message");
    return rc;
}

enum rc
mailbox_file(struct mailbox *box, uint32_t uid, int *fd, struct why *why)
{
    bool known = true;
    enum rc rc = try_file(box, uid, fd, &known, why);

    /* Somebody has given it another name. */
    for (int i = 0; rc == OK && *fd < 0 && known && i < TRIES; i++) {
        mailbox_own_doubt(box);
        rc = mailbox_sync(box, NULL, why);
        if (rc == OK)
            rc = try_file(box, uid, fd, &known, why);
    }
    if (rc == OK && *fd < 0)
        rc = fail(why, "5.2.0", "the message has been removed");
    if (rc == OK)
        look_ahead(box, uid, *fd);
    return rc;
}

enum rc
mailbox_base(struct mailbox *box, uint32_t uid, struct arena *a,
             struct str *base, struct why *why)
{
    struct index_folder f;
    struct index_file file;
    enum rc rc = mailbox_read(box, &f, why);

    *base = (struct str){0};
    if (rc != OK)
        return rc;
    if (index_file_get(box->home->kv, f.id, uid, &file)) {
        struct str rest = arena_str(a, file.name);

        (void)str_cut(&rest, ':', base);
    }
    rc = mailbox_end(box, why);
    if (rc == OK && base->len == 0)
        rc = fail(why, "5.2.0", "the message has been removed");
    return rc;
}
