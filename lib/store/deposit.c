#include "store/deposit.h"

#include <errno.h>

#include "store/quota.h"
#include "store/uidlist.h"
#include "sys/disk.h"

struct batch {
    struct mailbox *box;
    struct arena *a;
    struct deposit_file *files;
    size_t count;
    struct index_folder f;
};

static void
name_all(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        struct deposit_file *file = &b->files[i];
        struct name n = {.base = str_from(file->base)};

        file->to =
            name_with(b->a, &n, file->message.flags, file->message.keywords);
    }
}

/* False with errno; a file that is missing is no failure. */
static bool
place(struct batch *b, struct deposit_file *file)
{
    file->done =
        file->link
            ? disk_link(file->from_dir, file->from, b->box->cur, file->to)
            : disk_move(file->from_dir, file->from, b->box->cur, file->to);
    file->missing = !file->done && errno == ENOENT && !file->needed;
    return file->done || file->missing;
}

static void
take_back(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        struct deposit_file *file = &b->files[i];

        if (!file->done)
            continue;
        if (file->link)
            (void)!disk_remove(b->box->cur, file->to);
        else
            (void)!disk_move(b->box->cur, file->to, file->from_dir, file->from);
        file->done = false;
    }
}

static enum rc
place_all(struct batch *b, struct why *why)
{
    enum rc rc = OK;

    mailbox_own_begin(b->box, &b->f);
    for (size_t i = 0; rc == OK && i < b->count; i++)
        if (!place(b, &b->files[i]))
            rc = store_fail(errno, why, "cannot store the message");
    mailbox_own_end(b->box, false);
    return rc;
}

static enum rc
give_uids(struct batch *b, struct buf *lines, struct why *why)
{
    for (size_t i = 0; i < b->count; i++) {
        struct deposit_file *file = &b->files[i];

        if (!file->done)
            continue;
        if (b->f.next > UIDLIST_LAST)
            return fail(why, "5.3.0", "the folder has no UIDs left");
        file->uid = b->f.next++;
        if (file->guid.len)
            file->fields = str_from(arena_fmt(b->a, "G%.*s", STR(file->guid)));

        const struct uidlist_line l = {file->uid, file->fields,
                                       str_from(file->base)};

        uidlist_put(lines, &l);
    }
    return OK;
}

/* Names and UIDs are on disk. */
static enum rc
make_safe(struct batch *b, struct why *why)
{
    struct buf lines = buf_in(b->a);
    enum rc rc = give_uids(b, &lines, why);

    if (rc == OK && lines.len)
        rc = text_append(b->box->dir, UIDLIST_FILE, buf_str(&lines), true,
                         &b->f.uidlist, why);
    if (rc == OK && lines.len && !disk_sync_dir(b->box->cur))
        rc = store_fail(errno, why, "cannot store the message");
    return rc;
}

static void
put(const struct batch *b, struct index_fill *fill, struct deposit_file *file)
{
    const struct index_file at = {false, str_from(file->to)};
    struct index_message m = file->message;
    struct str base = str_from(file->base);

    m.modseq = b->f.modseq;
    m.worded = (m.keywords & ~LETTERS_MASK) != 0;
    index_hash(file->guid.len ? file->guid : base, m.id);
    index_fill_put(fill, file->uid, &m, &at, base, file->fields);
}

/* Flags and the first keywords stand in the new names. */
static bool
names_tell_all(const struct batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->files[i].message.keywords & ~LETTERS_MASK)
            return false;
    return true;
}

static enum rc
put_all(struct batch *b, struct why *why)
{
    struct kv_env *kv = b->box->home->kv;
    uint32_t first = 0, last = 0;
    struct index_fill fill;
    enum rc rc = names_tell_all(b)
                     ? mailbox_next_modseq_told(b->box, &b->f, why)
                     : mailbox_next_modseq(b->box, &b->f, why);

    if (rc != OK)
        return rc;
    index_fill_begin(&fill, kv, &b->f);
    for (size_t i = 0; i < b->count; i++) {
        if (!b->files[i].done)
            continue;
        put(b, &fill, &b->files[i]);
        last = b->files[i].uid;
        first = first ? first : last;
    }
    index_fill_end(&fill);
    if (first)
        index_changed_put(kv, &b->f, first, last);
    return OK;
}

/*
 * Several new files at once: if we are killed before all have their UIDs, none
 * of them may stay. So their names are in the index before the first of them
 * is in cur/, and whoever has the lock next removes them. Not so for moves:
 * there the file is all there is.
 */
static enum rc
announce(struct batch *b, struct why *why)
{
    struct buf names = buf_in(b->a);
    struct index_folder f;
    struct index_key k;
    enum rc rc;

    if (b->count < 2 || !(b->files[0].link || b->files[0].needed))
        return OK;
    for (size_t i = 0; i < b->count; i++)
        buf_fmt(&names, "%s\n", b->files[i].to);
    rc = mailbox_write(b->box, &f, why);
    if (rc != OK)
        return rc;
    kv_env_put(b->box->home->kv, index_key(&k, 'T', f.id), buf_str(&names));
    return kv_env_commit(b->box->home->kv, why);
}

static enum rc
forget_announced(struct mailbox *box, struct why *why)
{
    struct index_folder f;
    struct index_key k;
    enum rc rc = mailbox_write(box, &f, why);

    if (rc != OK)
        return rc;
    kv_env_del(box->home->kv, index_key(&k, 'T', f.id));
    return kv_env_commit(box->home->kv, why);
}

/* They had been counted before they came. */
static void
remove_announced(struct mailbox *box, struct arena *a, struct str names)
{
    struct quota_turn turn;
    struct str file;
    struct name n;

    quota_begin(box->home->root, &turn);
    while (str_cut(&names, '\n', &file))
        if (disk_remove(box->cur, arena_cstr(a, file)) && name_parse(file, &n))
            quota_note(&turn, -(int64_t)n.size, -1);
    quota_end(&turn);
}

enum rc
deposit_recover(struct mailbox *box, bool *removed, struct why *why)
{
    struct arena *a = arena_new("recover", (size_t)256 << 20);
    struct kv_env *kv = box->home->kv;
    struct index_folder f;
    struct index_key k;
    struct str names = {0};
    enum rc rc = OK;

    kv_env_read(kv);
    if (index_folder_get(kv, box->path, &f) &&
        kv_env_get(kv, index_key(&k, 'T', f.id), &names))
        names = arena_str(a, names);
    rc = kv_env_end(kv, why);
    *removed = rc == OK && names.len > 0;
    if (*removed) {
        remove_announced(box, a, names);
        rc = forget_announced(box, why);
    }
    arena_free(a);
    return rc;
}

static enum rc
work(struct batch *b, deposit_more *more, void *own, struct why *why)
{
    struct index_key k;
    enum rc rc = announce(b, why);

    if (rc == OK)
        rc = mailbox_write(b->box, &b->f, why);
    if (rc != OK)
        return rc;
    rc = place_all(b, why);
    if (rc == OK)
        rc = make_safe(b, why);
    if (rc == OK)
        rc = put_all(b, why);
    if (rc == OK && more)
        rc = more(own, &b->f, why);
    kv_env_del(b->box->home->kv, index_key(&k, 'T', b->f.id));
    if (rc == OK)
        rc = mailbox_commit(b->box, &b->f, why);
    else
        mailbox_abort(b->box);
    if (rc != OK)
        take_back(b);
    return rc;
}

/* How much more the user has, by all of them or by those that are there. */
static void
add_up(const struct batch *b, bool done, int64_t *bytes, int64_t *messages)
{
    *bytes = *messages = 0;
    for (size_t i = 0; i < b->count; i++)
        if (b->files[i].fresh && (b->files[i].done || !done)) {
            *bytes += (int64_t)b->files[i].message.size;
            ++*messages;
        }
}

static enum rc
work_counted(struct batch *b, deposit_more *more, void *own, struct why *why)
{
    int64_t bytes, messages, stored, stored_messages;
    struct quota_turn turn;

    quota_begin(b->box->home->root, &turn);
    add_up(b, false, &bytes, &messages);
    quota_note(&turn, bytes, messages);
    enum rc rc = work(b, more, own, why);

    add_up(b, true, &stored, &stored_messages);
    quota_note(&turn, stored - bytes, stored_messages - messages);
    quota_end(&turn);
    return rc;
}

enum rc
deposit(struct mailbox *box, struct deposit_file *files, size_t count,
        deposit_more *more, void *own, struct why *why)
{
    struct batch b = {.box = box, .files = files, .count = count};
    enum rc rc = mailbox_lock(box, LOCK_WAIT, why);

    if (rc != OK)
        return rc;
    b.a = arena_new("deposit", (size_t)1 << 30);
    name_all(&b);
    rc = work_counted(&b, more, own, why);
    arena_free(b.a);
    mailbox_unlock(box);
    return rc;
}
