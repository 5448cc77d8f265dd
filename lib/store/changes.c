#include "store/changes.h"

#include <stdlib.h>

#include "store/own.h"
#include "store/ranges.h"

/* Messages from first to last that have this modseq. */
static void
add_range(struct kv_env *kv, uint32_t folder, uint64_t modseq,
          struct uid_range r, struct uids *found)
{
    struct index_key prefix, from;
    struct kv_walk w;

    kv_walk_begin(&w, kv, index_key(&prefix, 'M', folder),
                  index_key_uid(&from, 'M', folder, r.first));
    while (kv_walk_next(&w) && index_uid_of(w.key) <= r.last)
        if (index_message_of(w.value).modseq == modseq)
            *vec_add(&found->list) = index_uid_of(w.key);
    kv_walk_end(&w);
}

void
index_changed_since(struct kv_env *kv, uint32_t folder, uint64_t since,
                    struct uids *found)
{
    struct index_key prefix, from;
    struct kv_walk w;

    kv_walk_begin(&w, kv, index_key(&prefix, 'C', folder),
                  index_key_modseq(&from, 'C', folder, since + 1, 0));
    while (kv_walk_next(&w))
        add_range(
            kv, folder, index_modseq_of(w.key),
            (struct uid_range){index_uid_of(w.key), index_last_of(w.value)},
            found);
    kv_walk_end(&w);
    uids_sort(found);
}

enum rc
changes_since(struct mailbox *box, uint64_t since, struct arena *a,
              struct uid_set *changed, struct why *why)
{
    struct index_folder f;
    struct uids found = {0};
    enum rc rc = mailbox_read(box, &f, why);

    if (rc != OK)
        return rc;
    index_changed_since(box->home->kv, f.id, since, &found);
    *changed = uids_take(&found, a);
    return mailbox_end(box, why);
}

static int
cmp_range(const void *a, const void *b)
{
    const struct uid_range *x = a, *y = b;

    return (x->first > y->first) - (x->first < y->first);
}

/* In order and without overlaps. */
static void
tidy(struct ranges *r)
{
    size_t kept = 0;

    if (r->list.len)
        qsort(r->list.at, r->list.len, sizeof *r->list.at, cmp_range);
    for (size_t i = 0; i < r->list.len; i++) {
        struct uid_range next = r->list.at[i];
        struct uid_range *last = kept ? &r->list.at[kept - 1] : NULL;

        if (last && next.first <= last->last + 1) {
            if (next.last > last->last)
                last->last = next.last;
        } else {
            r->list.at[kept++] = next;
        }
    }
    r->list.len = kept;
}

/* Every UID below f->next that no message has. */
static void
add_missing(struct kv_env *kv, const struct index_folder *f, struct ranges *r)
{
    struct index_key k;
    struct str prefix = index_key(&k, 'M', f->id);
    struct kv_walk w;
    uint32_t expected = 1;

    kv_walk_begin(&w, kv, prefix, prefix);
    while (kv_walk_next(&w)) {
        uint32_t uid = index_uid_of(w.key);

        if (uid > expected)
            *vec_add(&r->list) = (struct uid_range){expected, uid - 1};
        expected = uid + 1;
    }
    kv_walk_end(&w);
    if (f->next > expected)
        *vec_add(&r->list) = (struct uid_range){expected, f->next - 1};
}

void
index_vanished_since(struct kv_env *kv, const struct index_folder *f,
                     uint64_t since, struct ranges *r)
{
    struct index_key prefix, from;
    struct kv_walk w;

    if (since < f->floor) {
        add_missing(kv, f, r);
        return;
    }
    kv_walk_begin(&w, kv, index_key(&prefix, 'V', f->id),
                  index_key_modseq(&from, 'V', f->id, since + 1, 0));
    while (kv_walk_next(&w))
        *vec_add(&r->list) =
            (struct uid_range){index_uid_of(w.key), index_last_of(w.value)};
    kv_walk_end(&w);
    tidy(r);
}

enum rc
changes_vanished(struct mailbox *box, uint64_t since, struct arena *a,
                 struct uid_set *vanished, struct why *why)
{
    struct index_folder f;
    struct ranges r = {0};
    enum rc rc = mailbox_read(box, &f, why);

    if (rc != OK)
        return rc;
    index_vanished_since(box->home->kv, &f, since, &r);
    *vanished = ranges_take(&r, a);
    return mailbox_end(box, why);
}

enum rc
changes_begin(struct changes_walk *w, struct mailbox *box, struct uid_set set,
              struct why *why)
{
    struct index_folder f;

    (void)!mailbox_kept(box, why); /* changes_blob has it, or does not */

    enum rc rc = mailbox_read(box, &f, why);

    *w = (struct changes_walk){.box = box, .set = set, .folder = f.id};
    return rc;
}

/* Start with the next range of the set; false where there is none. */
static bool
next_range(struct changes_walk *w)
{
    struct index_key k;
    struct str prefix, from;

    if (w->walking) {
        kv_walk_end(&w->walk);
        w->walking = false;
        w->place++;
    }
    if (w->place == w->set.len)
        return false;
    prefix = index_key(&k, 'M', w->folder);
    memcpy(w->prefix, prefix.p, prefix.len);
    prefix.p = w->prefix;
    from = index_key_uid(&k, 'M', w->folder, w->set.at[w->place].first);
    memcpy(w->from, from.p, from.len);
    from.p = w->from;
    kv_walk_begin(&w->walk, w->box->home->kv, prefix, from);
    w->walking = true;
    return true;
}

bool
changes_next(struct changes_walk *w, struct message *m)
{
    while (w->walking || next_range(w)) {
        if (kv_walk_next(&w->walk)) {
            uint32_t uid = index_uid_of(w->walk.key);

            if (uid <= w->set.at[w->place].last) {
                struct index_message r = index_message_of(w->walk.value);

                *m = message_from(uid, &r);
                return true;
            }
        }
        if (!next_range(w))
            return false;
    }
    return false;
}

struct str
changes_blob(struct changes_walk *w, uint32_t uid, enum blob_kind kind)
{
    struct kv_walk *blobs = &w->blobs[kind];
    struct index_key k;
    struct str key = index_key_blob(&k, w->folder, kind, uid);

    if (blobs->cursor == NULL)
        kv_walk_begin(blobs, w->box->home->kv, (struct str){0},
                      (struct str){0});
    return kv_walk_find(blobs, key) ? blobs->value : (struct str){0};
}

enum rc
changes_end(struct changes_walk *w, struct why *why)
{
    if (w->walking)
        kv_walk_end(&w->walk);
    w->walking = false;
    for (size_t i = 0; i < BLOB_KINDS; i++)
        kv_walk_end(&w->blobs[i]);
    return mailbox_end(w->box, why);
}
