#include "store/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/deposit.h"
#include "store/expunge.h"
#include "store/leave.h"
#include "store/maildir.h"
#include "store/ranges.h"
#include "store/uidlist.h"
#include "sys/disk.h"

#define WORK_LIMIT ((size_t)1 << 30)

struct copy {
    struct mailbox *from, *to;
    struct arena *a;
    const struct copy_how *how;
    bool together;              /* one transaction: both are of one home */
    bool by_name;               /* files can have names in both */
    bool rename;                /* or a move is a copy, and then they go */
    uint64_t bit[KEYWORDS_MAX]; /* of a keyword in `to`, or 0 */
    struct leaving list;
    struct deposit_file *files; /* as many, in the same order */
    int tmp;                    /* of `to`, where bytes must be copied */
};

/* The keywords that are used, in the other folder. What has no room there is
 * left out. */
static enum rc
map_keywords(struct copy *c, struct why *why)
{
    const struct keywords *k;
    uint64_t used = 0;
    struct keywords names;
    enum rc rc = mailbox_keywords(c->from, &k, why);

    for (size_t i = 0; i < c->list.files.len; i++)
        used |= c->files[i].message.keywords;
    for (int i = 0; rc == OK && i < KEYWORDS_MAX; i++) {
        int bit;

        if (!(used >> i & 1) || k->name[i].len == 0)
            continue;
        names.name[i] = arena_str(c->a, k->name[i]);
        rc = mailbox_keyword(c->to, names.name[i], &bit, why);
        if (rc == OK)
            c->bit[i] = UINT64_C(1) << bit;
        if (rc == PERM)
            rc = OK;
    }
    return rc;
}

static uint64_t
mapped(const struct copy *c, uint64_t keywords)
{
    uint64_t result = 0;

    for (int i = 0; i < KEYWORDS_MAX; i++)
        if (keywords >> i & 1)
            result |= c->bit[i];
    return result;
}

static const char *
new_base(struct copy *c, const struct index_message *m)
{
    const char *name = maildir_unique(c->a);

    if (m->vsize == 0)
        return arena_fmt(c->a, "%s,S=%llu", name, (unsigned long long)m->size);
    return arena_fmt(c->a, "%s,S=%llu,W=%llu", name,
                     (unsigned long long)m->size, (unsigned long long)m->vsize);
}

/* What is its GUID: that of what it was copied from, or its name. */
static struct str
guid_of(struct copy *c, struct kv_walk *fields, uint32_t folder,
        const struct leaving_file *file)
{
    struct index_key k;
    struct name n;

    if (kv_walk_find(fields, index_key_uid(&k, 'X', folder, file->uid))) {
        struct str guid = uidlist_field(fields->value, 'G');

        if (guid.len)
            return arena_str(c->a, guid);
    }
    return name_parse(str_from(file->name), &n) && str_find(n.base, ' ') < 0
               ? n.base
               : (struct str){0};
}

static enum rc
list(struct copy *c, struct uid_set set, struct why *why)
{
    struct index_folder f;
    enum rc rc = mailbox_read(c->from, &f, why);
    struct kv_env *kv = c->from->home->kv;
    struct kv_walk fields;

    if (rc != OK)
        return rc;
    leave_list(kv, c->a, &f, set, false, &c->list);
    kv_walk_begin(&fields, kv, (struct str){0}, (struct str){0});

    size_t count = c->list.files.len;

    c->files = arena_alloc(c->a, (count + 1) * sizeof *c->files);
    for (size_t i = 0; i < count; i++) {
        struct leaving_file *file = &c->list.files.at[i];

        c->files[i] = (struct deposit_file){
            .from = file->name,
            .from_dir = file->in_new ? c->from->new : c->from->cur,
            .base = new_base(c, &file->message),
            .link = !c->rename,
            .fresh = !c->rename,
            .guid = guid_of(c, &fields, f.id, file),
            .message = file->message,
        };
        c->files[i].message.flags &= c->how->flags;
        if (c->how->no_keywords)
            c->files[i].message.keywords = 0;
        if (file->message.saved) /* or both dates are found in the new file */
            c->files[i].message.saved = time(NULL);
    }
    kv_walk_end(&fields);
    return mailbox_end(c->from, why);
}

/* One file's bytes, where it cannot have another name. */
static bool
copy_bytes(struct copy *c, struct deposit_file *file)
{
    const char *name = maildir_unique(c->a);
    auto_close int in = disk_open(file->from_dir, file->from, O_RDONLY);
    auto_close int out = in < 0 ? -1 : disk_create(c->tmp, name, 0600);
    struct stat st = {0};

    if (in < 0 && errno == ENOENT)
        return true; /* to be found missing */
    if (out < 0)
        return false;

    bool good = fstat(in, &st) == 0 && disk_copy(out, in, 0, st.st_size);
    const struct timespec times[] = {{.tv_nsec = UTIME_NOW}, st.st_mtim};

    good = good && disk_share(out, c->tmp, "") && futimens(out, times) == 0 &&
           disk_sync(out);
    file->from = name;
    file->from_dir = c->tmp;
    file->link = false;
    return good;
}

/* Can files of the one folder have names in the other? Not where others would
 * be let in, or own what is put there. */
static bool
same_files(const struct copy *c)
{
    struct stat from, to;

    if (fstat(c->from->cur, &from) < 0 || fstat(c->to->cur, &to) < 0 ||
        from.st_dev != to.st_dev)
        return false;
    return c->together ||
           (from.st_uid == geteuid() && from.st_uid == to.st_uid &&
            from.st_gid == to.st_gid && from.st_mode == to.st_mode &&
            !(from.st_mode & S_IWGRP));
}

static enum rc
copy_all_bytes(struct copy *c, struct why *why)
{
    c->tmp = openat(c->to->dir, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (c->tmp < 0)
        return store_fail(errno, why, "cannot store messages");
    for (size_t i = 0; i < c->list.files.len; i++)
        if (!copy_bytes(c, &c->files[i]))
            return store_fail(errno, why, "cannot store messages");
    return OK;
}

static void
clean_tmp(struct copy *c)
{
    if (c->tmp < 0)
        return;
    for (size_t i = 0; i < c->list.files.len; i++)
        if (c->files[i].from_dir == c->tmp && !c->files[i].done)
            (void)!disk_remove(c->tmp, c->files[i].from);
    close(c->tmp);
}

/* What parsers made of a message is true of its copy. */
static void
copy_blobs(struct copy *c, enum blob_kind kind, uint32_t from, uint32_t to)
{
    struct arena *a = arena_new("blob", (size_t)64 << 20);
    struct kv_walk old, new;
    struct index_key k;

    kv_walk_begin(&old, c->to->home->kv, (struct str){0}, (struct str){0});
    kv_walk_begin(&new, c->to->home->kv, (struct str){0}, (struct str){0});
    for (size_t i = 0; i < c->list.files.len; i++) {
        uint32_t uid = c->list.files.at[i].uid;

        if (!c->files[i].done ||
            !kv_walk_find(&old, index_key_blob(&k, from, kind, uid)))
            continue;
        kv_walk_add(&new, index_key_blob(&k, to, kind, c->files[i].uid),
                    arena_str(a, old.value));
        arena_reset(a);
    }
    kv_walk_end(&old);
    kv_walk_end(&new);
    arena_free(a);
}

/* The other folder, in the transaction of the first. */
static enum rc
leave_too(void *own, struct index_folder *f, struct why *why)
{
    struct copy *c = own;
    struct kv_env *kv = c->from->home->kv;
    struct index_folder other;
    bool same = c->from == c->to;
    struct index_folder *from = same ? f : &other;
    enum rc rc;

    /* An index that was just made anew may not know it yet, and will find what
     * is left when it is listed. */
    bool known = same || index_folder_get(kv, c->from->path, from);

    for (size_t i = 0; i < c->list.files.len; i++)
        c->list.files.at[i].done = c->files[i].done;
    for (enum blob_kind kind = 0; known && kind < BLOB_KINDS; kind++)
        copy_blobs(c, kind, from->id, f->id);
    if (!c->rename || !known)
        return OK;
    rc = leave_index(c->from, from, &c->list, why);
    if (rc == OK && !same)
        index_folder_put(kv, c->from->path, from);
    return rc;
}

static enum rc
hand_over(struct copy *c, struct why *why)
{
    struct index_folder f;
    enum rc rc = OK;

    if (!c->by_name)
        rc = copy_all_bytes(c, why);
    if (rc == OK && c->rename && c->from != c->to) {
        rc = mailbox_read(c->from, &f, why);
        if (rc == OK)
            rc = mailbox_end(c->from, why);
        if (rc == OK)
            mailbox_own_begin(c->from, &f);
    }
    if (rc == OK)
        rc = deposit(c->to, c->files, c->list.files.len,
                     c->together ? leave_too : NULL, c, why);
    if (c->rename && c->from != c->to)
        mailbox_own_end(c->from, c->list.in_new);
    return rc;
}

static void
report(const struct copy *c, struct ranges *from, struct ranges *to)
{
    for (size_t i = 0; i < c->list.files.len; i++)
        if (c->files[i].done) {
            ranges_add(from, c->list.files.at[i].uid);
            ranges_add(to, c->files[i].uid);
        }
}

static enum rc
copy(struct copy *c, struct uid_set set, struct why *why)
{
    enum rc rc = list(c, set, why);

    if (rc == OK)
        rc = map_keywords(c, why);
    for (size_t i = 0; rc == OK && i < c->list.files.len; i++)
        c->files[i].message.keywords = mapped(c, c->files[i].message.keywords);
    if (rc == OK && c->list.files.len)
        rc = hand_over(c, why);
    clean_tmp(c);
    return rc;
}

/* Files that were not where the index says. */
static struct uid_set
missing(const struct copy *c, struct arena *a)
{
    struct ranges r = {0};

    for (size_t i = 0; i < c->list.files.len; i++)
        if (c->files[i].missing)
            ranges_add(&r, c->list.files.at[i].uid);
    return ranges_take(&r, a);
}

/* What was copied leaves `from`. What is not there any more, somebody else has
 * taken: of two who move it, one has it. */
static enum rc
take_away(struct copy *c, struct why *why)
{
    struct ranges copied = {0}, late = {0};
    struct uid_set gone, back;
    size_t count = c->list.files.len;

    for (size_t i = 0; i < count; i++)
        if (c->files[i].done)
            ranges_add(&copied, c->list.files.at[i].uid);
    enum rc rc = expunge_messages(c->from, ranges_take(&copied, c->a), false,
                                  c->a, &gone, why);

    for (size_t i = 0; rc == OK && i < count; i++)
        if (c->files[i].done && !uid_set_has(gone, c->list.files.at[i].uid)) {
            ranges_add(&late, c->files[i].uid);
            c->files[i].done = false;
        }
    back = ranges_take(&late, c->a);
    if (back.len > 0)
        rc = expunge_messages(c->to, back, false, c->a, &gone, why);
    return rc;
}

static enum rc
copy_once(struct copy *c, struct uid_set *set, bool last, struct ranges *taken,
          struct ranges *given, struct why *why)
{
    unsigned generation = c->from->home->generation;
    enum rc rc = mailbox_sync(c->from, NULL, why);

    if (rc == OK)
        rc = copy(c, *set, why);
    if (rc == TEMP && !last && c->from->home->generation != generation) {
        vec_free(&c->list.files);
        return OK;
    }
    *set = missing(c, c->a);
    if (rc == OK && c->how->move && !c->rename)
        rc = take_away(c, why);
    if (rc == OK)
        report(c, taken, given);
    vec_free(&c->list.files);
    return rc;
}

enum rc
copy_messages(struct mailbox *from, struct uid_set set, struct mailbox *to,
              const struct copy_how *how, struct arena *a,
              struct uid_set *from_uids, struct uid_set *to_uids,
              struct why *why)
{
    struct ranges taken = {0}, given = {0};
    struct arena *work = arena_new("copy", WORK_LIMIT);
    enum rc rc = mailbox_kept(from, why);

    /* Somebody may rename a file meanwhile: then it is found the second time.
     * So it is where somebody removed the index, as nothing was done then. */
    for (int i = 0; rc == OK && set.len && i < 2; i++) {
        struct copy c = {.from = from,
                         .to = to,
                         .a = work,
                         .how = how,
                         .together = from->home == to->home,
                         .tmp = -1};

        c.by_name = same_files(&c);
        c.rename = how->move && c.together && c.by_name;
        if (i)
            mailbox_own_doubt(from);
        rc = copy_once(&c, &set, i > 0, &taken, &given, why);
    }
    *from_uids = ranges_take(&taken, a);
    *to_uids = ranges_take(&given, a);
    arena_free(work);
    return rc;
}
