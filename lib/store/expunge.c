#include "store/expunge.h"

#include <errno.h>

#include "store/leave.h"
#include "store/own.h"
#include "store/quota.h"
#include "store/ranges.h"
#include "sys/disk.h"

void
leave_list(struct kv_env *kv, struct arena *a, uint32_t folder,
           struct uid_set set, unsigned flags, struct leaving *list)
{
    struct index_key prefix, from;
    struct index_file file;
    struct kv_walk w;

    for (size_t i = 0; i < set.len; i++) {
        kv_walk_begin(&w, kv, index_key(&prefix, 'M', folder),
                      index_key_uid(&from, 'M', folder, set.at[i].first));
        while (kv_walk_next(&w) && index_uid_of(w.key) <= set.at[i].last) {
            struct index_message m = index_message_of(w.value);
            uint32_t uid = index_uid_of(w.key);

            if ((m.flags & flags) != flags ||
                !index_file_get(kv, folder, uid, &file))
                continue;
            *vec_add(&list->files) = (struct leaving_file){
                .uid = uid,
                .in_new = file.in_new,
                .name = arena_cstr(a, file.name),
                .message = m,
            };
        }
        kv_walk_end(&w);
    }
}

enum rc
leave_index(struct mailbox *box, struct index_folder *f,
            const struct leaving *list, struct why *why)
{
    struct kv_env *kv = box->home->kv;
    struct ranges gone = {0};
    struct index_message old;
    enum rc rc = OK;

    for (size_t i = 0; i < list->files.len; i++) {
        const struct leaving_file *file = &list->files.at[i];

        if (!file->done || !index_message_get(kv, f->id, file->uid, &old))
            continue;
        index_message_put(kv, f, file->uid, &old, NULL);
        ranges_add(&gone, file->uid);
        f->stale++;
    }
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
    bool missing = false, in_new = false;

    *error = 0;
    mailbox_own_begin(box, f);
    for (size_t i = 0; i < list->files.len; i++) {
        struct leaving_file *file = &list->files.at[i];

        file->done =
            disk_remove(file->in_new ? box->new : box->cur, file->name);
        in_new |= file->in_new;
        if (!file->done && errno == ENOENT)
            missing = true;
        else if (!file->done)
            *error = errno;
    }
    mailbox_own_end(box);
    if (list->files.len &&
        (!disk_sync_dir(box->cur) || (in_new && !disk_sync_dir(box->new))))
        *error = errno;
    return missing;
}

/* The same, and the user has so much less. */
static bool
remove_counted(struct mailbox *box, const struct index_folder *f,
               struct leaving *list, int *error)
{
    struct quota_turn turn;
    int64_t bytes = 0, messages = 0;

    quota_begin(box->home->dir, ".", &turn);
    bool missing = remove_files(box, f, list, error);

    for (size_t i = 0; i < list->files.len; i++)
        if (list->files.at[i].done) {
            bytes += (int64_t)list->files.at[i].message.size;
            messages++;
        }
    quota_note(&turn, -bytes, -messages);
    quota_end(&turn);
    return missing;
}

static enum rc
list_files(struct mailbox *box, struct arena *a, struct uid_set set,
           unsigned flags, struct index_folder *f, struct leaving *list,
           struct why *why)
{
    enum rc rc = mailbox_read(box, f, why);

    if (rc != OK)
        return rc;
    leave_list(box->home->kv, a, f->id, set, flags, list);
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
             unsigned flags, struct uids *removed, bool *missing,
             struct why *why)
{
    struct leaving list = {0};
    struct index_folder f;
    int error = 0;
    enum rc rc = list_files(box, a, set, flags, &f, &list, why);

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
            rc = expunge_once(box, work, set, deleted ? FLAG_DELETED : 0, &done,
                              &missing, why);
    }
    uids_sort(&done);
    *removed = uids_take(&done, a);
    arena_free(work);
    return rc;
}
