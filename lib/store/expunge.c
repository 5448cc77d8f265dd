#include "store/expunge.h"

#include <errno.h>

#include "store/leave.h"
#include "store/own.h"
#include "store/quota.h"
#include "store/ranges.h"
#include "sys/disk.h"

static void
leave_range(struct kv_walk *files, struct arena *a,
            const struct index_folder *f, const struct uid_range *range,
            bool deleted, struct leaving *list)
{
    struct index_key prefix, from, k;
    struct index_file file;
    struct kv_walk w;

    kv_walk_begin(&w, files->env, index_key(&prefix, 'M', f->id),
                  index_key_uid(&from, 'M', f->id, range->first));
    /* Nobody goes on through a large folder that has no more of them. */
    while ((!deleted || list->files.len < f->deleted) && kv_walk_next(&w) &&
           index_uid_of(w.key) <= range->last) {
        struct index_message m = index_message_of(w.value);
        uint32_t uid = index_uid_of(w.key);

        if ((deleted && !(m.flags & FLAG_DELETED)) ||
            !kv_walk_find(files, index_key_uid(&k, 'N', f->id, uid)) ||
            !index_file_of(files->value, &file))
            continue;
        *vec_add(&list->files) = (struct leaving_file){
            .uid = uid,
            .in_new = file.in_new,
            .name = arena_cstr(a, file.name),
            .message = m,
        };
        list->in_new |= file.in_new;
    }
    kv_walk_end(&w);
}

void
leave_list(struct kv_env *kv, struct arena *a, const struct index_folder *f,
           struct uid_set set, bool deleted, struct leaving *list)
{
    struct kv_walk files;

    kv_walk_begin(&files, kv, (struct str){0}, (struct str){0});
    for (size_t i = 0; i < set.len; i++)
        leave_range(&files, a, f, &set.at[i], deleted, list);
    kv_walk_end(&files);
}

enum rc
leave_index(struct mailbox *box, struct index_folder *f,
            const struct leaving *list, struct why *why)
{
    struct kv_env *kv = box->home->kv;
    struct uids done = {0};
    struct ranges gone = {0};
    enum rc rc = OK;

    for (size_t i = 0; i < list->files.len; i++)
        if (list->files.at[i].done)
            *vec_add(&done.list) = list->files.at[i].uid;
    done.list.len = index_messages_drop(kv, f, done.list.at, done.list.len);
    f->stale += (uint32_t)done.list.len;
    for (size_t i = 0; i < done.list.len; i++)
        ranges_add(&gone, done.list.at[i]);
    vec_free(&done.list);
    if (gone.list.len)
        rc = mailbox_next_modseq_told(box, f, why);
    for (size_t i = 0; rc == OK && i < gone.list.len; i++)
        index_vanished_put(kv, f, gone.list.at[i].first, gone.list.at[i].last);
    vec_free(&gone.list);
    return rc;
}

/* Tells whether some were not where the index says. */
static bool
remove_files(struct mailbox *box, const struct index_folder *f,
             struct leaving *list, int *error)
{
    bool missing = false;

    *error = 0;
    mailbox_own_begin(box, f);
    for (size_t i = 0; i < list->files.len; i++) {
        struct leaving_file *file = &list->files.at[i];

        file->done =
            disk_remove(file->in_new ? box->new : box->cur, file->name);
        if (!file->done && errno == ENOENT)
            missing = true;
        else if (!file->done)
            *error = errno;
    }
    mailbox_own_end(box, list->in_new);
    if (list->files.len && (!disk_sync_dir(box->cur) ||
                            (list->in_new && !disk_sync_dir(box->new))))
        *error = errno;
    return missing;
}

/* What a count takes it for. */
static int64_t
counted(const struct leaving_file *file)
{
    struct name n;

    if (name_parse(str_from(file->name), &n) && n.size)
        return (int64_t)n.size;
    return (int64_t)file->message.size;
}

/* The same, and the user has so much less. */
static bool
remove_counted(struct mailbox *box, const struct index_folder *f,
               struct leaving *list, int *error)
{
    struct quota_turn turn;
    int64_t bytes = 0, messages = 0;

    quota_begin(box->home->root, &turn);
    bool missing = remove_files(box, f, list, error);

    for (size_t i = 0; i < list->files.len; i++)
        if (list->files.at[i].done) {
            bytes += counted(&list->files.at[i]);
            messages++;
        }
    quota_note(&turn, -bytes, -messages);
    quota_end(&turn);
    return missing;
}

static enum rc
list_files(struct mailbox *box, struct arena *a, struct uid_set set,
           bool deleted, struct index_folder *f, struct leaving *list,
           struct why *why)
{
    enum rc rc = mailbox_read(box, f, why);

    if (rc != OK)
        return rc;
    leave_list(box->home->kv, a, f, set, deleted, list);
    return mailbox_end(box, why);
}

static enum rc
note(struct mailbox *box, const struct leaving *list, struct why *why)
{
    struct index_folder f;
    enum rc rc = mailbox_write(box, &f, why);

    if (rc != OK)
        return rc;
    rc = leave_index(box, &f, list, why);
    if (rc == OK)
        return mailbox_commit(box, &f, why);
    mailbox_abort(box);
    return rc;
}

static enum rc
expunge_once(struct mailbox *box, struct arena *a, struct uid_set set,
             bool deleted, struct uids *removed, bool *missing, struct why *why)
{
    struct leaving list = {0};
    struct index_folder f;
    int error = 0;
    enum rc rc = list_files(box, a, set, deleted, &f, &list, why);

    *missing = false;
    if (rc == OK && list.files.len) {
        *missing = remove_counted(box, &f, &list, &error);
        rc = note(box, &list, why);
    }
    for (size_t i = 0; rc == OK && i < list.files.len; i++)
        if (list.files.at[i].done)
            *vec_add(&removed->list) = list.files.at[i].uid;
    vec_free(&list.files);
    if (rc == OK && error)
        rc = store_fail(error, why, "cannot remove messages");
    return rc;
}

enum rc
expunge_messages(struct mailbox *box, struct uid_set set, bool deleted,
                 struct arena *a, struct uid_set *removed, struct why *why)
{
    struct arena *work = arena_new("expunge", (size_t)1 << 30);
    struct uids done = {0};
    bool missing = true;
    enum rc rc = OK;

    /* Files that somebody renamed meanwhile are found the second time. */
    for (int i = 0; rc == OK && missing && i < 2; i++) {
        if (i) {
            mailbox_own_doubt(box); /* so that sync looks */
            rc = mailbox_sync(box, NULL, why);
        }
        if (rc == OK)
            rc = expunge_once(box, work, set, deleted, &done, &missing, why);
    }
    uids_sort(&done);
    *removed = uids_take(&done, a);
    arena_free(work);
    return rc;
}
