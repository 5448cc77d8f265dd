#include <stdlib.h>

#include "store/merge.h"

enum rc
merge_next_modseq(struct merge *m, uint64_t *modseq, struct why *why)
{
    enum rc rc = OK;

    if (m->modseq == 0) {
        rc = mailbox_next_modseq(m->s->box, &m->f, why);
        m->modseq = m->f.modseq;
    }
    *modseq = m->modseq;
    return rc;
}

/* UIDs for those that have none, in order of arrival. */
static enum rc
give_uids(struct merge *m, struct buf *lines, struct why *why)
{
    for (size_t i = 0; i < m->s->fresh.len; i++) {
        struct scan_fresh *fresh = &m->s->fresh.at[i];

        if (fresh->uid)
            continue;
        if (m->f.next > UIDLIST_LAST)
            return fail(why, "5.3.0", "the folder has no UIDs left");
        fresh->uid = m->f.next++;

        struct uidlist_line l = {.uid = fresh->uid, .base = fresh->rank.base};

        uidlist_put(lines, &l);
    }
    return OK;
}

static void
put_fresh(struct merge *m, struct index_fill *fill, struct scan_fresh *fresh,
          uint64_t modseq)
{
    struct index_message *r = &fresh->message;
    struct index_file file = {fresh->in_new, fresh->file};
    struct str guid = uidlist_field(fresh->fields, 'G');
    struct str vsize = uidlist_field(fresh->fields, 'W');
    uint64_t words, n;

    r->modseq = modseq;
    r->worded = merge_words_of(m, fresh->uid, &words) && words;
    r->keywords |= words;
    if (guid.len)
        index_hash(guid, r->id);
    if (r->vsize == 0 && str_num(vsize, &n) && n >= r->size)
        r->vsize = n;
    index_fill_put(fill, fresh->uid, r, &file, fresh->rank.base, fresh->fields);
}

static int
cmp_uid(const void *a, const void *b)
{
    const struct scan_fresh *x = a, *y = b;

    return (x->uid > y->uid) - (x->uid < y->uid);
}

/* They changed now: in an unknown folder, all that are in it. */
static void
note_fresh(struct merge *m)
{
    const struct scan_fresh *all = m->s->fresh.at;
    size_t count = m->s->fresh.len, first = 0;

    if (!m->s->known) {
        index_changed_put(m->kv, &m->f, 1, all[count - 1].uid);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && all[i + 1].uid == all[i].uid + 1)
            continue;
        index_changed_put(m->kv, &m->f, all[first].uid, all[i].uid);
        first = i + 1;
    }
}

static enum rc
put_all_fresh(struct merge *m, struct why *why)
{
    const struct scan *s = m->s;
    struct index_fill fill;
    uint64_t modseq = 0;
    enum rc rc = s->fresh.len ? merge_next_modseq(m, &modseq, why) : OK;

    if (rc != OK || s->fresh.len == 0)
        return rc;
    qsort(s->fresh.at, s->fresh.len, sizeof *s->fresh.at, cmp_uid);
    index_fill_begin(&fill, m->kv, &m->f);
    for (size_t i = 0; i < s->fresh.len; i++)
        put_fresh(m, &fill, &s->fresh.at[i], modseq);
    index_fill_end(&fill);
    note_fresh(m);
    return OK;
}

/* Keywords without a letter that posta-state has under their names in the
 * index; those that are new to it get them there. */
static uint64_t
known_words(struct merge *m)
{
    struct keywords k;
    uint64_t known = 0;
    bool more = false;

    index_keywords_get(m->a, m->kv, m->f.id, &k);
    for (int i = KEYWORD_LETTERS; i < KEYWORDS_MAX; i++) {
        struct str name = m->keywords.name[i];

        if (name.len && k.name[i].len == 0) {
            k.name[i] = name;
            more = true;
        }
        if (name.len && str_eq(k.name[i], name))
            known |= UINT64_C(1) << i;
    }
    if (more)
        index_keywords_put(m->a, m->kv, m->f.id, &k);
    return known;
}

static enum rc
take_words_of(struct merge *m, struct kv_walk *w, uint64_t known,
              struct why *why)
{
    struct index_message old = index_message_of(w->value), r = old;
    uint32_t uid = index_uid_of(w->key);
    uint64_t words;

    if (old.modseq > m->f.flushed || !merge_words_of(m, uid, &words))
        return OK;
    r.keywords = (old.keywords & ~known) | (words & known);
    r.worded = words != 0;
    if (r.keywords == old.keywords)
        return OK;

    enum rc rc = merge_next_modseq(m, &r.modseq, why);

    index_count(&m->f, &old, (uint32_t)-1);
    index_count(&m->f, &r, 1);
    kv_walk_set(w, (struct str){(const char *)&r, sizeof r});
    index_changed_put(m->kv, &m->f, uid, uid);
    return rc;
}

/*
 * Whoever saves what only a removed index knew may add lines to posta-state
 * after we have read it for the new one. What we have changed ourselves since,
 * and not written yet, goes before.
 */
static enum rc
take_words(struct merge *m, struct why *why)
{
    uint64_t known;
    struct index_key k;
    struct str prefix = index_key(&k, 'M', m->f.id);
    struct kv_walk w;
    enum rc rc = OK;

    if (!m->s->known || !m->s->read_state)
        return OK;
    known = known_words(m);
    m->f.state = m->s->state;
    kv_walk_begin(&w, m->kv, prefix, prefix);
    while (rc == OK && kv_walk_next(&w))
        rc = take_words_of(m, &w, known, why);
    kv_walk_end(&w);
    return rc;
}

/*
 * A file was renamed: what its new name says otherwise than the old one is a
 * change of somebody else's; what we have not written to it yet stays.
 */
static enum rc
take_moved(struct merge *m, const struct scan_moved *moved, struct why *why)
{
    struct index_file was, is = {moved->in_new, moved->file};
    struct index_message old, r;
    struct name before, after;
    uint64_t modseq;
    enum rc rc = OK;

    if (!index_message_get(m->kv, m->f.id, moved->uid, &old) ||
        !index_file_get(m->kv, m->f.id, moved->uid, &was) ||
        !name_parse(was.name, &before) || !name_parse(moved->file, &after))
        return OK;
    unsigned flags = before.flags ^ after.flags;
    uint64_t keywords = before.keywords ^ after.keywords;

    r = old;
    r.flags = (r.flags & ~flags) | (after.flags & flags);
    r.keywords = (r.keywords & ~keywords) | (after.keywords & keywords);
    if (r.flags != old.flags || r.keywords != old.keywords) {
        rc = merge_next_modseq(m, &modseq, why);
        r.modseq = modseq;
        index_message_put(m->kv, &m->f, moved->uid, &old, &r);
        index_changed_put(m->kv, &m->f, moved->uid, moved->uid);
    }
    index_file_put(m->kv, &m->f, moved->uid, &is);
    return rc;
}

static enum rc
take_gone(struct merge *m, struct why *why)
{
    uint32_t *gone = m->s->gone.at;
    size_t count = m->s->stable ? m->s->gone.len : 0, first = 0;
    uint64_t modseq;
    enum rc rc = count ? merge_next_modseq(m, &modseq, why) : OK;

    if (rc != OK || count == 0)
        return rc;
    count = index_messages_drop(m->kv, &m->f, gone, count);
    m->f.stale += (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && gone[i + 1] == gone[i] + 1)
            continue;
        index_vanished_put(m->kv, &m->f, gone[first], gone[i]);
        first = i + 1;
    }
    return OK;
}

static void
take_keywords(struct merge *m)
{
    struct keywords k = m->keywords;

    if (!m->s->read_keywords)
        return;
    if (m->s->known) {
        index_keywords_get(m->a, m->kv, m->f.id, &k);
        for (int i = 0; i < KEYWORD_LETTERS; i++)
            k.name[i] = (struct str){0};
    }
    keywords_read(&k, m->keyword_text);
    index_keywords_put(m->a, m->kv, m->f.id, &k);
    m->f.keywords = m->s->keywords;
}

/* What was scanned need not be again, if its mtime can be relied on. */
static void
set_mtimes(struct merge *m)
{
    const struct scan *s = m->s;
    bool good = s->stable && !s->busy;

    if (s->list_new || s->list_cur)
        m->f.own_new = m->f.own_cur = 0;
    if (s->list_new)
        m->f.new_mtime =
            good && scan_settled(s->new_mtime, s->now) ? s->new_mtime : 0;
    if (s->list_cur)
        m->f.cur_mtime =
            good && scan_settled(s->cur_mtime, s->now) ? s->cur_mtime : 0;
}

static bool
same_mtimes(const struct merge *m)
{
    const struct index_folder *was = &m->s->f;

    return m->f.new_mtime == was->new_mtime &&
           m->f.cur_mtime == was->cur_mtime && m->f.own_new == was->own_new &&
           m->f.own_cur == was->own_cur;
}

static bool
nothing_found(const struct merge *m)
{
    const struct scan *s = m->s;

    return s->known && !s->read_uidlist && !s->read_keywords &&
           !s->read_state && s->fresh.len == 0 && s->moved.len == 0 &&
           (s->gone.len == 0 || !s->stable) && same_mtimes(m);
}

static enum rc
write_uidlist(struct merge *m, const struct buf *lines, struct why *why)
{
    struct str added = {lines->p, lines->len};

    if (m->rewrite || m->s->uidlist.ino == 0)
        return uidlist_rewrite(m->s->box, &m->f, why);
    m->f.uidlist = m->s->uidlist;
    if (added.len == 0)
        return OK;
    return text_append(m->s->box->dir, UIDLIST_FILE, added, true, &m->f.uidlist,
                       why);
}

static enum rc
take_changes(struct merge *m, struct why *why)
{
    enum rc rc = OK;

    for (size_t i = 0; rc == OK && i < m->s->moved.len; i++)
        rc = take_moved(m, &m->s->moved.at[i], why);
    return rc == OK ? take_gone(m, why) : rc;
}

/* After the index was lost: what lies in new/ nobody has seen yet. */
static uint32_t
first_recent(const struct merge *m)
{
    uint32_t first = m->f.next;

    for (size_t i = 0; i < m->s->fresh.len; i++)
        if (m->s->fresh.at[i].in_new && m->s->fresh.at[i].uid < first)
            first = m->s->fresh.at[i].uid;
    return first;
}

/*
 * Who gives a file its UID gives it its name first: where a line has no file,
 * that was not looked for, or was renamed while we listed. Without it the line
 * would be forgotten, and the file get another UID when it is found.
 */
static bool
look_for_missed(struct merge *m)
{
    struct scan *s = m->s;

    if (!m->missed || s->last || s->box->doubt)
        return false;
    mailbox_own_doubt(s->box);
    return true;
}

static enum rc
merge_in(struct merge *m, struct why *why)
{
    struct buf lines = buf_in(m->a);
    enum rc rc = give_uids(m, &lines, why);

    if (rc == OK)
        rc = take_words(m, why);
    if (rc == OK)
        rc = take_changes(m, why);
    if (rc == OK)
        rc = put_all_fresh(m, why);
    if (rc == OK && (lines.len || m->s->read_uidlist))
        rc = write_uidlist(m, &lines, why);
    take_keywords(m);
    if (!m->s->known)
        m->f.recent = first_recent(m);
    set_mtimes(m);
    return rc;
}

/* To be found as a new one. */
static enum rc
forget_folder(struct merge *m, struct why *why)
{
    struct index_key k;

    index_folder_clear(m->kv, m->f.id);
    kv_env_del(m->kv, index_key_path(&k, m->s->box->path));
    return kv_env_commit(m->kv, why);
}

static enum rc
transact(struct merge *m, bool *again, struct why *why)
{
    struct mailbox *box = m->s->box;
    enum rc rc = kv_env_write(m->kv, why);

    if (rc != OK) {
        *again = kv_env_gone(m->kv);
        return *again ? OK : rc;
    }
    bool there = index_folder_get(m->kv, box->path, &m->f);

    *again = there != m->s->known || (there && m->f.serial != m->s->f.serial);
    if (!*again)
        rc = merge_take_texts(m, why);
    if (rc == OK && m->other) {
        *again = true;
        return forget_folder(m, why);
    }
    *again = *again || (rc == OK && look_for_missed(m));
    if (rc == OK && !*again)
        rc = merge_in(m, why);
    if (rc == OK && !*again)
        return mailbox_commit(box, &m->f, why);
    kv_env_abort(m->kv);
    return rc;
}

enum rc
scan_merge(struct scan *s, bool *again, struct why *why)
{
    struct merge m = {.s = s, .a = s->arena, .kv = s->box->home->kv, .f = s->f};
    enum rc rc = OK;

    set_mtimes(&m);
    if (nothing_found(&m))
        return OK;
    rc = merge_read_texts(&m, why);
    if (rc == OK)
        rc = transact(&m, again, why);
    hash_free(m.words);
    return rc;
}
