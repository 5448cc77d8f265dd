#include "store/view.h"

#include <stdlib.h>

#include "base/log.h"
#include "store/own.h"
#include "store/ranges.h"

/* UIDs without a gap: those from uid on have the numbers from seq on. */
struct run {
    uint32_t uid, seq, count;
};

/*
 * The UIDs of a folder in the index, as a view had them at some time: what has
 * come and gone since then is all that the next one must look at. Written when
 * that was much; struct run follow it.
 */
struct saved {
    uint64_t modseq;
    uint32_t next, count;
};

#define SAVE_AFTER 2000 /* messages that were looked at */
#define SAVED_MAX  8192 /* runs */

struct view {
    struct mailbox *box;
    VEC(struct run) runs;
    uint32_t validity, count;
    uint32_t next;              /* UIDs from here on are not looked at yet */
    size_t looked;              /* at so many records */
    uint64_t expunged, changed; /* mod-sequences taken up */
    bool waits;                 /* something expunged was not */
    bool writable;
    struct ranges recent;
};

static void
add_run(struct view *v, uint32_t uid, uint32_t count)
{
    struct run *last = v->runs.len ? &v->runs.at[v->runs.len - 1] : NULL;

    if (last && last->uid + last->count == uid)
        last->count += count;
    else
        *vec_add(&v->runs) = (struct run){uid, v->count + 1, count};
    v->count += count;
}

static void
add(struct view *v, uint32_t uid)
{
    add_run(v, uid, 1);
}

/* All messages from v->next on. */
static void
take_arrivals(struct view *v, const struct index_folder *f)
{
    struct kv_env *kv = v->box->home->kv;
    struct index_key prefix, from;
    struct kv_walk w;

    if (v->next >= f->next)
        return;
    kv_walk_begin(&w, kv, index_key(&prefix, 'M', f->id),
                  index_key_uid(&from, 'M', f->id, v->next));
    for (; kv_walk_next(&w); v->looked++)
        add(v, index_uid_of(w.key));
    kv_walk_end(&w);
    v->next = f->next;
}

/* What another view of the process has seen already, if it has seen all. */
static void
copy_runs(struct view *v, const struct index_folder *f)
{
    for (size_t i = 0; i < v->box->views.len; i++) {
        const struct view *o = v->box->views.at[i];

        if (o->validity != f->validity || o->next != f->next ||
            o->expunged != f->modseq)
            continue;
        for (size_t r = 0; r < o->runs.len; r++)
            add_run(v, o->runs.at[r].uid, o->runs.at[r].count);
        v->next = o->next;
        return;
    }
}

/* UIDs first to last leave a view that is rebuilt; their numbers are those of
 * EXPUNGE responses sent one after the other. */
static void
leave_out(const struct view *v, uint32_t first, uint32_t last,
          struct uids *numbers, struct ranges *dropped)
{
    for (uint32_t uid = first; numbers && uid - first <= last - first; uid++) {
        *vec_add(&numbers->list) = v->count + 1;
        ranges_add(dropped, uid);
    }
}

/* Leave out what the ranges have; note the numbers of EXPUNGE responses, if
 * they are wanted. */
static void
drop(struct view *v, struct uid_set gone, struct uids *numbers,
     struct ranges *dropped)
{
    struct view old = *v;

    memset(&v->runs, 0, sizeof v->runs);
    v->count = 0;
    for (size_t i = 0, g = 0; i < old.runs.len; i++) {
        uint32_t uid = old.runs.at[i].uid;
        uint32_t last = uid + (old.runs.at[i].count - 1);

        while (g < gone.len && gone.at[g].last < uid)
            g++;
        for (; g < gone.len && gone.at[g].first <= last; g++) {
            const struct uid_range *r = &gone.at[g];
            uint32_t from = r->first < uid ? uid : r->first;
            uint32_t to = r->last < last ? r->last : last;

            if (from > uid)
                add_run(v, uid, from - uid);
            leave_out(v, from, to, numbers, dropped);
            uid = to + 1;
            if (r->last >= last)
                break;
        }
        if (uid - old.runs.at[i].uid < old.runs.at[i].count)
            add_run(v, uid, last - uid + 1);
    }
    vec_free(&old.runs);
}

/* Is any of them in the view? */
static bool
concerns(const struct view *v, const struct ranges *r)
{
    for (size_t i = 0; i < r->list.len; i++)
        if (view_rank(v, r->list.at[i].last + 1) !=
            view_rank(v, r->list.at[i].first))
            return true;
    return false;
}

static struct str
saved_key(struct index_key *k, const struct index_folder *f)
{
    return index_key(k, 'R', f->id);
}

/* Begin with what was saved. */
static void
take_saved(struct view *v, const struct index_folder *f)
{
    struct kv_env *kv = v->box->home->kv;
    struct ranges gone = {0};
    struct index_key k;
    struct saved s;
    struct str value;

    if (v->next > 1 || !kv_env_get(kv, saved_key(&k, f), &value) ||
        value.len < sizeof s)
        return;
    memcpy(&s, value.p, sizeof s);
    if (s.modseq < f->floor ||
        value.len != sizeof s + s.count * sizeof(struct run))
        return;
    for (size_t i = 0; i < s.count; i++) {
        struct run r;

        memcpy(&r, value.p + sizeof s + i * sizeof r, sizeof r);
        add_run(v, r.uid, r.count);
    }
    v->next = s.next;
    index_vanished_since(kv, f, s.modseq, &gone);
    v->looked += gone.list.len;
    if (concerns(v, &gone))
        drop(v, (struct uid_set){gone.list.at, gone.list.len}, NULL, NULL);
    vec_free(&gone.list);
}

/* Failing only means that the next view has more to do. */
static void
save(struct view *v)
{
    struct arena *a;
    struct index_folder f;
    struct index_key k;
    struct buf b;
    struct why why;
    struct saved s = {
        .modseq = v->expunged, .next = v->next, .count = (uint32_t)v->runs.len};

    if (v->looked < SAVE_AFTER || v->runs.len > SAVED_MAX ||
        mailbox_write(v->box, &f, &why) != OK)
        return;
    v->looked = 0;
    if (f.validity != v->validity || f.modseq < s.modseq) {
        mailbox_abort(v->box);
        return;
    }
    a = arena_new("view", (size_t)1 << 20);
    b = buf_in(a);
    buf_add(&b, (struct str){(const char *)&s, sizeof s});
    buf_add(&b, (struct str){(const char *)v->runs.at,
                             v->runs.len * sizeof *v->runs.at});
    kv_env_put(v->box->home->kv, saved_key(&k, &f), buf_str(&b));
    (void)!kv_env_commit(v->box->home->kv, &why);
    arena_free(a);
}

static enum rc
claim(struct view *v, struct why *why)
{
    uint32_t first, next = v->next;
    struct index_folder f;
    enum rc rc;

    if (!v->writable) {
        rc = mailbox_read(v->box, &f, why);
        if (rc == OK)
            rc = mailbox_end(v->box, why);
        first = f.recent;
    } else {
        rc = flags_claim_recent(v->box, &first, why);
    }
    if (rc != OK)
        return rc;
    for (uint32_t seq = view_rank(v, first) + 1; seq <= v->count; seq++)
        if (view_uid(v, seq) < next && !view_is_recent(v, view_uid(v, seq)))
            ranges_add(&v->recent, view_uid(v, seq));
    return OK;
}

enum rc
view_open(struct mailbox *box, bool writable, struct view **out,
          struct why *why)
{
    struct view *v = calloc(1, sizeof *v);
    struct index_folder f;
    enum rc rc;

    if (v == NULL)
        log_fatal("out of memory for a view");
    v->box = box;
    v->next = 1;
    v->writable = writable;
    *out = NULL;
    rc = mailbox_read(box, &f, why);
    if (rc == OK) {
        copy_runs(v, &f);
        take_saved(v, &f);
        take_arrivals(v, &f);
        v->validity = f.validity;
        v->expunged = v->changed = f.modseq;
        rc = mailbox_end(box, why);
    }
    if (rc == OK)
        rc = claim(v, why);
    if (rc == OK) {
        save(v);
        mailbox_again(box);
        *vec_add(&box->views) = v;
        *out = v;
        return OK;
    }
    vec_free(&v->runs);
    free(v);
    return rc;
}

void
view_close(struct view *v)
{
    if (v == NULL)
        return;
    for (size_t i = 0; i < v->box->views.len; i++)
        if (v->box->views.at[i] == v) {
            vec_drop(&v->box->views, i);
            break;
        }
    vec_free(&v->runs);
    vec_free(&v->recent.list);
    mailbox_close(v->box);
    free(v);
}

uint32_t
view_count(const struct view *v)
{
    return v->count;
}

/* The last run that begins at or before a UID, or a sequence number. */
static const struct run *
find(const struct view *v, uint32_t key, bool by_uid)
{
    size_t low = 0, high = v->runs.len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct run *r = &v->runs.at[middle];

        if ((by_uid ? r->uid : r->seq) <= key)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &v->runs.at[low - 1] : NULL;
}

uint32_t
view_uid(const struct view *v, uint32_t seq)
{
    const struct run *r = seq > v->count ? NULL : find(v, seq, false);

    return r ? r->uid + (seq - r->seq) : 0;
}

uint32_t
view_seq(const struct view *v, uint32_t uid)
{
    const struct run *r = find(v, uid, true);

    return r && uid - r->uid < r->count ? r->seq + (uid - r->uid) : 0;
}

uint32_t
view_rank(const struct view *v, uint32_t uid)
{
    const struct run *r = uid ? find(v, uid - 1, true) : NULL;

    if (r == NULL)
        return 0;
    return r->seq - 1 + (uid - r->uid < r->count ? uid - r->uid : r->count);
}

struct uid_set
view_uids(const struct view *v, struct arena *a, uint32_t first, uint32_t last)
{
    struct ranges out = {0};

    if (last > v->count)
        last = v->count;
    if (first == 0 || first > last)
        return (struct uid_set){0};

    const struct run *end = v->runs.at + v->runs.len;

    for (const struct run *r = find(v, first, false); r < end && r->seq <= last;
         r++) {
        uint32_t from = r->seq < first ? r->uid + (first - r->seq) : r->uid;
        uint32_t to = last - r->seq < r->count ? r->uid + (last - r->seq)
                                               : r->uid + r->count - 1;

        *vec_add(&out.list) = (struct uid_range){from, to};
    }
    return ranges_take(&out, a);
}

bool
view_is_recent(const struct view *v, uint32_t uid)
{
    return uid_set_has((struct uid_set){v->recent.list.at, v->recent.list.len},
                       uid);
}

uint32_t
view_recent(const struct view *v)
{
    uint32_t count = 0;

    for (size_t i = 0; i < v->recent.list.len; i++) {
        const struct uid_range *r = &v->recent.list.at[i];

        count += view_rank(v, r->last + 1) - view_rank(v, r->first);
    }
    return count;
}

uint32_t
view_next(const struct view *v)
{
    return v->next;
}

uint64_t
view_modseq(const struct view *v)
{
    return v->expunged < v->changed ? v->expunged : v->changed;
}

bool
view_has_news(struct view *v)
{
    struct index_folder f;
    struct why why;

    if (mailbox_read(v->box, &f, &why) != OK)
        return false;
    if (mailbox_end(v->box, &why) != OK)
        return false;
    return f.modseq != v->expunged || f.modseq != v->changed ||
           f.next != v->next;
}

static void
take_expunges(struct view *v, const struct index_folder *f, struct arena *a,
              struct view_news *news)
{
    struct ranges gone = {0}, dropped = {0};
    struct uids numbers = {0};

    index_vanished_since(v->box->home->kv, f, v->expunged, &gone);
    v->expunged = f->modseq;
    news->waited = v->waits;
    v->waits = false;
    if (concerns(v, &gone))
        drop(v, (struct uid_set){gone.list.at, gone.list.len}, &numbers,
             &dropped);
    vec_free(&gone.list);

    size_t size = numbers.list.len * sizeof *numbers.list.at;
    uint32_t *at = size ? arena_alloc(a, size) : NULL;

    if (size)
        memcpy(at, numbers.list.at, size);
    news->expunged = at;
    news->expunged_count = numbers.list.len;
    news->vanished = ranges_take(&dropped, a);
    vec_free(&numbers.list);
}

static bool
has_expunges(const struct view *v, const struct index_folder *f)
{
    struct ranges gone = {0};
    bool any;

    index_vanished_since(v->box->home->kv, f, v->expunged, &gone);
    any = concerns(v, &gone);
    vec_free(&gone.list);
    return any;
}

/* Messages the session knew already. */
static void
take_changes(struct view *v, const struct index_folder *f, uint32_t next,
             struct arena *a, struct view_news *news)
{
    struct uids found = {0};
    size_t kept = 0;

    index_changed_since(v->box->home->kv, f->id, v->changed, &found);
    v->changed = f->modseq;
    for (size_t i = 0; i < found.list.len; i++) {
        uint32_t uid = found.list.at[i];

        if (uid < next && view_seq(v, uid))
            found.list.at[kept++] = uid;
    }
    found.list.len = kept;
    news->changed = uids_take(&found, a);
}

enum rc
view_update(struct view *v, bool expunges, struct arena *a,
            struct view_news *news, struct why *why)
{
    struct index_folder f;
    uint32_t next = v->next;
    enum rc rc = mailbox_read(v->box, &f, why);

    *news = (struct view_news){0};
    if (rc != OK)
        return rc;
    news->replaced = f.validity != v->validity;
    if (news->replaced)
        return mailbox_end(v->box, why);
    if (expunges && v->expunged != f.modseq)
        take_expunges(v, &f, a, news);
    else if (!expunges)
        news->waited = v->waits = has_expunges(v, &f);
    take_arrivals(v, &f);
    if (v->changed != f.modseq)
        take_changes(v, &f, next, a, news);
    rc = mailbox_end(v->box, why);
    news->arrived = v->next != next;
    if (rc == OK && news->arrived)
        rc = claim(v, why);
    return rc;
}

enum rc
view_expunge(struct view *v, struct arena *a, struct view_news *news,
             struct why *why)
{
    struct index_folder f;
    enum rc rc = mailbox_read(v->box, &f, why);

    *news = (struct view_news){0};
    if (rc != OK)
        return rc;
    news->replaced = f.validity != v->validity;
    if (!news->replaced && v->expunged != f.modseq)
        take_expunges(v, &f, a, news);
    return mailbox_end(v->box, why);
}

void
view_skip(struct view *v, uint64_t before, uint64_t modseq)
{
    if (v->changed == before)
        v->changed = modseq;
    if (v->expunged == before)
        v->expunged = modseq;
}
