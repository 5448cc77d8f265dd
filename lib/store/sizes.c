/*
 * Sizes. What a file's name tells is believed, as by Dovecot, until somebody
 * looks at the file: names of 100,000 files are read in a moment, files are
 * not. Sizes with CRLF that names do not tell are counted when somebody asks.
 */
#include <errno.h>
#include <sys/stat.h>

#include "base/log.h"
#include "store/own.h"
#include "sys/disk.h"

#define SOME 16 /* messages that are read before others have their turn */

struct sized {
    uint32_t uid;
    uint64_t size, vsize;
};

/* One byte more for each LF that has no CR. */
static bool
count_file(int fd, uint64_t *size, uint64_t *vsize)
{
    char data[65536], last = '\0';
    off_t at = 0;
    ssize_t n;

    *vsize = 0;
    while ((n = disk_read(fd, data, sizeof data, at)) > 0) {
        const char *p = data, *end = data + n;

        for (; (p = memchr(p, '\n', (size_t)(end - p))); p++)
            *vsize += (p > data ? p[-1] : last) != '\r';
        last = data[n - 1];
        at += n;
    }
    *size = (uint64_t)at;
    *vsize += (uint64_t)at;
    return n == 0;
}

static enum rc
measure(struct mailbox *box, struct sized *m, struct why *why)
{
    auto_close int fd = -1;
    enum rc rc = mailbox_file(box, m->uid, &fd, why);

    if (rc == OK && !count_file(fd, &m->size, &m->vsize))
        rc = store_fail(errno, why, "cannot read the message");
    return rc;
}

/* Those that are still there. */
static enum rc
keep(struct mailbox *box, const struct sized *sized, size_t n, struct why *why)
{
    struct index_message m, changed;
    struct index_folder f;
    enum rc rc = mailbox_write(box, &f, why);

    if (rc != OK)
        return rc;
    for (size_t i = 0; i < n; i++) {
        if (!index_message_get(box->home->kv, f.id, sized[i].uid, &m) ||
            (m.size == sized[i].size && m.vsize == sized[i].vsize))
            continue;
        changed = m;
        changed.size = sized[i].size;
        changed.vsize = sized[i].vsize;
        index_message_put(box->home->kv, &f, sized[i].uid, &m, &changed);
    }
    return mailbox_commit(box, &f, why);
}

enum rc
mailbox_vsize(struct mailbox *box, uint32_t uid, uint64_t *vsize,
              struct why *why)
{
    struct sized m = {.uid = uid};
    enum rc rc = measure(box, &m, why);

    if (rc != OK)
        return rc;
    *vsize = m.vsize;
    (void)!keep(box, &m, 1, why); /* a full disk makes it slower, not wrong */
    return OK;
}

void
mailbox_measured(struct mailbox *box, uint32_t uid, uint64_t size,
                 uint64_t vsize)
{
    const struct sized m = {uid, size, vsize};
    struct why why;

    if (!box->misnamed)
        log_warn("%s/%.*s: UID %u has %llu bytes, not what its file's name "
                 "says; others may be so, too",
                 box->home->root, STR(box->path), uid,
                 (unsigned long long)size);
    box->misnamed = true;
    (void)!keep(box, &m, 1, &why); /* else it is found out once more */
}

enum rc
mailbox_vsize_of(struct mailbox *box, uint32_t uid, int fd, uint64_t *vsize,
                 struct why *why)
{
    struct sized s = {.uid = uid};
    struct index_message m;
    struct stat st;
    enum rc rc = mailbox_record(box, uid, &m, why);

    if (rc != OK)
        return rc;
    *vsize = m.vsize;
    if (fstat(fd, &st) < 0)
        return store_fail(errno, why, "cannot read the message");
    if (m.vsize && m.size == (uint64_t)st.st_size)
        return OK;
    if (!count_file(fd, &s.size, &s.vsize))
        return store_fail(errno, why, "cannot read the message");
    *vsize = s.vsize;
    if (m.vsize)
        mailbox_measured(box, uid, s.size, s.vsize);
    else
        (void)!keep(box, &s, 1, why);
    return OK;
}

/* The next ones after a UID. */
static enum rc
find_unsized(struct mailbox *box, uint32_t after, struct sized *found,
             size_t *count, struct why *why)
{
    struct index_folder f;
    struct index_key from, prefix;
    struct kv_walk w;
    enum rc rc = mailbox_read(box, &f, why);

    *count = 0;
    if (rc != OK)
        return rc;
    kv_walk_begin(&w, box->home->kv, index_key(&prefix, 'M', f.id),
                  index_key_uid(&from, 'M', f.id, after + 1));
    while (f.unsized && *count < SOME && kv_walk_next(&w))
        if (index_message_of(w.value).vsize == 0)
            found[(*count)++] = (struct sized){.uid = index_uid_of(w.key)};
    kv_walk_end(&w);
    return mailbox_end(box, why);
}

enum rc
mailbox_size_some(struct mailbox *box, uint32_t *after, struct why *why)
{
    struct sized some[SOME];
    size_t found, n = 0;
    enum rc rc = find_unsized(box, *after, some, &found, why);

    if (rc != OK)
        return rc;
    *after = found == SOME ? some[SOME - 1].uid : 0;
    for (size_t i = 0; i < found; i++) {
        some[n] = some[i];
        rc = measure(box, &some[n], why);
        n += rc == OK;
        if (rc == TEMP)
            return rc;
    }
    return n > 0 ? keep(box, some, n, why) : OK;
}
