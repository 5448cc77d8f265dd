/*
 * Dates of messages whose files nobody has looked at, as a rebuilt index has
 * them: found when somebody asks, and then kept in the index.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "store/own.h"

/* Messages whose dates are found with those of the one that is asked for. */
#define AHEAD 256

struct index_message
message_named(const struct name *n)
{
    struct index_message m = {
        .flags = n->flags,
        .keywords = n->keywords,
        .size = n->size,
        .vsize = n->vsize < n->size ? 0 : n->vsize, /* cannot be */
    };

    index_hash(n->base, m.id);
    return m;
}

void
message_measured(struct index_message *m, const struct name *n,
                 const struct stat *st)
{
    uint64_t size = (uint64_t)st->st_size;

    /* Where a name tells the wrong size, the other one is as wrong. */
    if (m->vsize < size || (m->size && m->size != size))
        m->vsize = 0;
    m->size = size;
    m->date = st->st_mtime;
    m->saved = n->made;
    if (m->saved < 100000000 || m->saved > st->st_ctime + 86400)
        m->saved = st->st_ctime ? st->st_ctime : 1;
}

struct undated {
    uint32_t uid;
    int dir;
    const char *file;
    struct index_message r;
};

struct dating {
    struct mailbox *box;
    struct arena *a;
    uint32_t folder; /* in the index */
    VEC(struct undated) list;
};

static void
take(struct message *m, const struct index_message *r)
{
    m->date = r->date;
    m->saved = r->saved;
    if (m->size != r->size) {
        m->size = r->size;
        m->vsize = r->vsize;
    }
}

/* The messages without dates among those from that one on; none where it has
 * got them meanwhile. */
static enum rc
list_undated(struct dating *d, struct message *m, struct why *why)
{
    struct mailbox *box = d->box;
    struct index_folder f;
    struct index_key from, prefix;
    struct index_file file;
    struct kv_walk w;
    enum rc rc = mailbox_read(box, &f, why);

    if (rc != OK)
        return rc;
    d->folder = f.id;
    kv_walk_begin(&w, box->home->kv, index_key(&prefix, 'M', f.id),
                  index_key_uid(&from, 'M', f.id, m->uid));
    for (int n = 0; m->saved == 0 && n < AHEAD && kv_walk_next(&w); n++) {
        struct undated u = {.uid = index_uid_of(w.key),
                            .r = index_message_of(w.value)};

        if (u.uid == m->uid)
            take(m, &u.r);
        if (u.r.saved || !index_file_get(box->home->kv, f.id, u.uid, &file))
            continue;
        u.dir = file.in_new ? box->new : box->cur;
        u.file = arena_cstr(d->a, file.name);
        *vec_add(&d->list) = u;
    }
    kv_walk_end(&w);
    return mailbox_end(box, why);
}

/* A file that has another name meanwhile stays without. */
static void
measure(struct dating *d)
{
    for (size_t i = 0; i < d->list.len; i++) {
        struct undated *u = &d->list.at[i];
        struct stat st;
        struct name n;

        if (name_parse(str_from(u->file), &n) &&
            fstatat(u->dir, u->file, &st, AT_SYMLINK_NOFOLLOW) == 0)
            message_measured(&u->r, &n, &st);
    }
}

static enum rc
remember(struct dating *d, struct why *why)
{
    struct mailbox *box = d->box;
    struct index_folder f;
    struct index_message old, r;
    enum rc rc = mailbox_write(box, &f, why);

    if (rc != OK)
        return rc;
    for (size_t i = 0; i < d->list.len; i++) {
        const struct undated *u = &d->list.at[i];

        if (f.id != d->folder || /* another one, with other messages */
            !index_message_get(box->home->kv, f.id, u->uid, &old) || old.saved)
            continue;
        r = old;
        r.size = u->r.size;
        r.vsize = old.size == r.size ? old.vsize : 0;
        r.date = u->r.date;
        r.saved = u->r.saved;
        index_message_put(box->home->kv, &f, u->uid, &old, &r);
    }
    return mailbox_commit(box, &f, why);
}

/* The date of one whose file is not where it was. */
static enum rc
date_moved(struct mailbox *box, struct message *m, struct why *why)
{
    struct arena *a = arena_new("date", 1 << 16);
    struct index_message r = {0};
    struct str base;
    struct name n;
    struct stat st;
    auto_close int fd = -1;
    enum rc rc = mailbox_file(box, m->uid, &fd, why);

    if (rc == OK)
        rc = mailbox_base(box, m->uid, a, &base, why);
    if (rc == OK && (!name_parse(base, &n) || fstat(fd, &st) < 0))
        rc = fail(why, "4.2.0", "a message has no date");
    if (rc == OK)
        message_measured(&r, &n, &st);
    arena_free(a);
    take(m, &r);
    return rc;
}

enum rc
mailbox_dates(struct mailbox *box, struct message *m, struct why *why)
{
    struct dating d = {.box = box};
    enum rc rc;

    if (m->saved)
        return OK;
    d.a = arena_new("dates", (size_t)1 << 20);
    rc = list_undated(&d, m, why);
    measure(&d);
    if (rc == OK && d.list.len && d.list.at[0].uid == m->uid)
        take(m, &d.list.at[0].r);
    /* A full disk makes it slower, not wrong. */
    if (rc == OK && d.list.len)
        (void)!remember(&d, why);
    vec_free(&d.list);
    arena_free(d.a);
    return rc == OK && m->saved == 0 ? date_moved(box, m, why) : rc;
}
