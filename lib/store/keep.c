/*
 * What parsers make of messages, on its way into the index: gathered in the
 * process, and written many at a time. It can be made again, so nothing is
 * lost with a process that is killed.
 */
#include "store/own.h"

#define MANY       64
#define MANY_BYTES ((size_t)256 << 10)

static void
put(struct mailbox *box, const struct index_folder *f,
    const struct mailbox_blob *b)
{
    struct kv_env *kv = box->home->kv;
    struct index_key k;
    struct str value;

    if (!kv_env_get(kv, index_key_uid(&k, 'M', f->id, b->uid), &value))
        return;
    kv_env_put(kv, index_key_blob(&k, f->id, b->kind, b->uid), b->data);
}

static void
forget(struct mailbox *box)
{
    box->kept.len = 0;
    arena_reset(box->keeps);
}

enum rc
mailbox_kept(struct mailbox *box, struct why *why)
{
    struct index_folder f;
    enum rc rc = OK;

    if (box->kept.len == 0)
        return OK;
    if (!box->gone)
        rc = mailbox_write(box, &f, why);
    if (rc == OK && !box->gone) {
        /* UIDs of another UIDVALIDITY are of other messages. */
        for (size_t i = 0; i < box->kept.len; i++)
            if (f.validity == box->kept_validity)
                put(box, &f, &box->kept.at[i]);
        rc = kv_env_commit(box->home->kv, why);
    }
    forget(box);
    return rc;
}

static enum rc
find_validity(struct mailbox *box, struct why *why)
{
    struct index_folder f;
    enum rc rc = mailbox_read(box, &f, why);

    box->kept_validity = f.validity;
    return rc == OK ? mailbox_end(box, why) : rc;
}

enum rc
mailbox_keep(struct mailbox *box, const struct mailbox_blob *blobs,
             size_t count, struct why *why)
{
    enum rc rc = OK;

    for (size_t i = 0; rc == OK && i < count; i++) {
        if (blobs[i].data.len > KEEP_LIMIT / 2)
            continue;
        if (box->kept.len == 0)
            rc = find_validity(box, why);
        if (rc != OK)
            break;
        *vec_add(&box->kept) = (struct mailbox_blob){
            .uid = blobs[i].uid,
            .kind = blobs[i].kind,
            .data = arena_str(box->keeps, blobs[i].data),
        };
        if (box->kept.len >= MANY ||
            arena_room(box->keeps) < KEEP_LIMIT - MANY_BYTES)
            rc = mailbox_kept(box, why);
    }
    return rc;
}

static const struct mailbox_blob *
waiting(const struct mailbox *box, uint32_t uid, enum blob_kind kind)
{
    for (size_t i = box->kept.len; i-- > 0;)
        if (box->kept.at[i].uid == uid && box->kept.at[i].kind == kind)
            return &box->kept.at[i];
    return NULL;
}

enum rc
mailbox_blob(struct mailbox *box, uint32_t uid, enum blob_kind kind,
             struct arena *a, struct str *got, struct why *why)
{
    const struct mailbox_blob *w = waiting(box, uid, kind);
    struct index_folder f;
    struct index_key k;
    struct str value;

    *got = (struct str){0};
    if (w) {
        *got = arena_str(a, w->data);
        return OK;
    }
    enum rc rc = mailbox_read(box, &f, why);

    if (rc != OK)
        return rc;
    if (kv_env_get(box->home->kv, index_key_blob(&k, f.id, kind, uid), &value))
        *got = arena_str(a, value);
    return mailbox_end(box, why);
}
