#include "store/own.h"
#include "store/uidlist.h"

/* Fields of others in the first line stay. */
static enum rc
read_others(struct arena *a, int dir, struct uidlist_head *h, bool *fresh,
            struct why *why)
{
    struct uidlist_head was;
    struct text_stamp stamp;
    struct str text;
    enum rc rc =
        text_read(a, dir, UIDLIST_FILE, 0, UIDLIST_MAX, &text, &stamp, why);

    *fresh = stamp.ino == 0;

    if (rc == OK && uidlist_head(&text, &was))
        h->others = was.others;
    return rc;
}

static void
put_lines(struct mailbox *box, const struct index_folder *f, struct buf *b)
{
    struct kv_env *kv = box->home->kv;
    struct index_key k, x;
    struct str prefix = index_key(&k, 'N', f->id);
    struct kv_walk w;

    kv_walk_begin(&w, kv, prefix, prefix);
    while (kv_walk_next(&w)) {
        struct uidlist_line l = {.uid = index_uid_of(w.key)};

        if (!name_base(str_sub(w.value, 1, w.value.len), &l.base))
            continue;
        if (!kv_env_get(kv, index_key_uid(&x, 'X', f->id, l.uid), &l.fields))
            l.fields = (struct str){0};
        uidlist_put(b, &l);
    }
    kv_walk_end(&w);
}

enum rc
uidlist_rewrite(struct mailbox *box, struct index_folder *f, struct why *why)
{
    struct arena *a = arena_new("uidlist", (size_t)4 << 30);
    struct uidlist_head h = {.validity = f->validity, .next = f->next};
    struct buf b = buf_in(a);
    bool fresh;
    enum rc rc = read_others(a, box->dir, &h, &fresh, why);

    memcpy(h.guid, f->guid, sizeof h.guid);
    uidlist_put_head(&b, &h);
    put_lines(box, f, &b);
    if (rc == OK)
        rc = mailbox_write_text(box, UIDLIST_FILE, fresh, buf_str(&b),
                                &f->uidlist, why);
    if (rc == OK)
        f->stale = 0;
    arena_free(a);
    return rc;
}

/* Lines of messages that are gone cost every reader time, and would give a file
 * that comes back from somewhere its old UID. */
enum rc
uidlist_tidy(struct mailbox *box, struct why *why)
{
    struct index_folder f;
    enum rc rc = mailbox_lock(box, 0, why);

    if (rc != OK)
        return OK; /* another time */
    rc = mailbox_write(box, &f, why);
    if (rc == OK) {
        rc = uidlist_rewrite(box, &f, why);
        if (rc == OK)
            rc = mailbox_commit(box, &f, why);
        else
            mailbox_abort(box);
    }
    mailbox_unlock(box);
    return rc;
}
