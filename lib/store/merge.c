#include <stdlib.h>
#include <time.h>

#include "base/hash.h"
#include "store/own.h"
#include "store/scan.h"
#include "store/state.h"
#include "store/uidvalidity.h"

#define TEXT_MAX ((off_t)1 << 20) /* dovecot-keywords */
#define BACK     1024             /* bytes: the last line we know is in them */

struct merge {
    struct scan *s;
    struct arena *a;
    struct kv_env *kv;
    struct index_folder f;
    size_t place;     /* in s->fresh, behind the file of the last line */
    struct str lines; /* of dovecot-uidlist that are new to us */
    struct uidlist_head head;
    bool has_head;      /* the file has a first line that we know */
    bool whole;         /* lines are all there are */
    bool rewrite;       /* the file must be written anew */
    bool other;         /* it is another folder than the index has */
    uint32_t matched;   /* lines of messages the index has */
    bool missed;        /* a new line is of a file that was not listed */
    uint64_t modseq;    /* of this merge; 0: nothing is new yet */
    struct str state;   /* of posta-state, where the index knew nothing */
    struct hash *words; /* UID to its last 'U' line there */
    struct keywords keywords;
    struct str keyword_text;
};

static enum rc
next_modseq(struct merge *m, uint64_t *modseq, struct why *why)
{
    enum rc rc = OK;

    if (m->modseq == 0) {
        rc = mailbox_next_modseq(m->s->box, &m->f, why);
        m->modseq = m->f.modseq;
    }
    *modseq = m->modseq;
    return rc;
}

/* Is that the end of the dovecot-uidlist that we know? An inode may have become
 * another file's; in that one, UIDs that are new to us would be passed over. */
static bool
is_known_end(struct str text, uint32_t next)
{
    struct uidlist_line l;
    uint32_t last = 0;

    if (!str_ends(text, S("\n")))
        return false;
    text.len--;
    text = str_sub(text, (size_t)(str_rfind(text, '\n') + 1), text.len);
    text.len++;
    return uidlist_next(&text, &last, &l) && l.uid < next;
}

/* What was added at the end of what we know; false where it must be read as a
 * whole. */
static bool
read_added(struct merge *m)
{
    struct scan *s = m->s;
    off_t known = s->f.uidlist.size, back = known < BACK ? known : BACK;
    struct str text;
    struct why why;

    if (!s->known || s->uidlist.ino != s->f.uidlist.ino ||
        s->uidlist.size <= known ||
        text_read(m->a, s->box->dir, UIDLIST_FILE, known - back, UIDLIST_MAX,
                  &text, &s->uidlist, &why) != OK ||
        !is_known_end(str_sub(text, 0, (size_t)back), s->f.next))
        return false;
    m->lines = str_sub(text, (size_t)back, text.len);
    return true;
}

static enum rc
read_uidlist(struct merge *m, struct why *why)
{
    struct scan *s = m->s;
    enum rc rc = OK;

    m->whole = !read_added(m);
    if (m->whole)
        rc = text_read(m->a, s->box->dir, UIDLIST_FILE, 0, UIDLIST_MAX,
                       &m->lines, &s->uidlist, why);
    if (rc == OK && m->whole)
        m->has_head = uidlist_head(&m->lines, &m->head);
    if (rc == OK && m->lines.len && !str_ends(m->lines, S("\n")))
        m->rewrite = true; /* a line was cut off */
    return rc;
}

/* Texts are read before the transaction; where they belong to the holder of
 * dovecot-uidlist.lock, that is us. */
static enum rc
read_texts(struct merge *m, struct why *why)
{
    struct scan *s = m->s;
    int dir = s->box->dir;
    struct text_stamp stamp;
    enum rc rc = s->read_uidlist ? read_uidlist(m, why) : OK;

    if (rc == OK && s->read_keywords)
        rc = text_read(m->a, dir, KEYWORDS_FILE, 0, TEXT_MAX, &m->keyword_text,
                       &s->keywords, why);
    if (rc == OK && !s->known)
        rc = text_read(m->a, dir, STATE_FILE, 0, STATE_MAX, &m->state, &stamp,
                       why);
    return rc;
}

/* A folder that the index does not know. Mod-sequences go on over all that were
 * ever given out; where nobody remembers, over any that Dovecot may have. */
static enum rc
found_folder(struct merge *m, struct why *why)
{
    struct index_folder *f = &m->f;
    struct timespec now;
    enum rc rc = OK;

    clock_gettime(CLOCK_REALTIME, &now);
    *f = (struct index_folder){
        .id = index_folder_number(m->kv),
        .validity = m->head.validity,
        .next = 1,
        .reserved =
            (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000,
    };
    if (f->validity == 0)
        rc = uidvalidity_new(&m->s->box->home->validities, m->s->box->home->dir,
                             &f->validity, why);
    return rc;
}

static void
keep_word(struct merge *m, const struct state_line *l, size_t place)
{
    *hash_put(m->words, (struct str){(const char *)&l->uid, 4}) =
        (void *)(uintptr_t)place;
}

/* posta-state: 'U' lines are found again by where they end. */
static enum rc
read_state(struct merge *m, struct why *why)
{
    struct str rest = m->state;
    bool ours = state_head(&rest) == m->f.validity;
    struct state_line l;
    uint64_t modseq;

    m->words = hash_new();
    while (state_next(&rest, &l)) {
        if (l.kind == 'M')
            m->f.reserved = l.value;
        else if (l.kind == 'K')
            m->keywords.name[l.bit] = l.name;
        else if (ours)
            keep_word(m, &l, (size_t)(rest.p - m->state.p));
    }
    m->f.modseq = m->f.reserved;

    enum rc rc = next_modseq(m, &modseq, why);

    m->f.floor = m->f.flushed = m->f.modseq;
    return rc;
}

/* The keywords without a letter that posta-state has for a UID. */
static uint64_t
words_of(const struct merge *m, uint32_t uid)
{
    struct str key = {(const char *)&uid, 4}, line;
    size_t end = m->words ? (uintptr_t)hash_get(m->words, key) : 0;
    uint64_t value = 0;

    if (end < 17)
        return 0;
    line = str_sub(m->state, end - 17, 16);
    return str_hex(line, &value) ? value : 0;
}

/* The fresh file with that base: as a rule the next one, as UIDs were given in
 * the order of arrival, too. */
static struct scan_fresh *
find_fresh(struct merge *m, struct str base)
{
    struct scan_fresh *all = m->s->fresh.at;
    size_t low = 0, high = m->s->fresh.len;
    struct name_rank rank;

    if (m->place < high && str_eq(all[m->place].rank.base, base))
        return &all[m->place++];
    rank = name_rank(base);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = name_rank_cmp(&all[middle].rank, &rank);

        if (order == 0) {
            m->place = middle + 1;
            return &all[middle];
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void
forget_vanished(struct merge *m, uint32_t uid)
{
    if (index_messages_drop(m->kv, &m->f, &uid, 1))
        index_vanished_put(m->kv, &m->f, uid, uid);
}

/* Another program gave a message that we know another UID. */
static enum rc
change_uid(struct merge *m, uint32_t uid, const struct uidlist_line *l,
           struct why *why)
{
    struct index_message old;
    struct index_file file;
    char name[300];
    uint64_t modseq;
    enum rc rc = next_modseq(m, &modseq, why);

    if (rc != OK || !index_message_get(m->kv, m->f.id, uid, &old) ||
        !index_file_get(m->kv, m->f.id, uid, &file) ||
        file.name.len > sizeof name)
        return rc;
    memcpy(name, file.name.p, file.name.len);
    file.name.p = name;
    forget_vanished(m, uid);
    old.modseq = modseq;
    index_changed_put(m->kv, &m->f, l->uid, l->uid);
    index_message_put(m->kv, &m->f, l->uid, NULL, &old);
    index_file_put(m->kv, &m->f, l->uid, &file);
    return OK;
}

/* One line of dovecot-uidlist. */
static enum rc
take_line(struct merge *m, const struct uidlist_line *l, struct why *why)
{
    struct scan_fresh *fresh = find_fresh(m, l->base);
    struct index_message there;

    if (l->uid >= m->f.next)
        m->f.next = l->uid + 1;
    if (fresh) {
        if (!m->s->known ||
            !index_message_get(m->kv, m->f.id, l->uid, &there)) {
            fresh->uid = l->uid;
            fresh->fields = l->fields;
        }
        return OK;
    }
    if (!m->s->known)
        return OK;

    struct index_file file;
    uint32_t uid = index_file_find(m->kv, m->f.id, l->base, &file);

    m->matched += uid != 0;
    m->missed |= uid == 0 && l->uid >= m->s->f.next;
    if (uid == 0 || uid == l->uid ||
        index_message_get(m->kv, m->f.id, l->uid, &there))
        return OK;
    return change_uid(m, uid, l, why);
}

static enum rc
take_lines(struct merge *m, struct why *why)
{
    struct uidlist_line l;
    struct str rest = m->lines;
    uint32_t last = 0;
    enum rc rc = OK;

    while (rc == OK && uidlist_next(&rest, &last, &l))
        rc = take_line(m, &l, why);
    /* Messages that the file has lost would get new UIDs from it one day. */
    if (m->whole && m->s->known && m->matched < m->f.messages)
        m->rewrite = true;
    return rc;
}

static enum rc
take_uidlist(struct merge *m, struct why *why)
{
    struct index_folder *f = &m->f;

    if (m->whole && m->has_head && m->s->known &&
        (m->head.validity != f->validity ||
         (m->head.has_guid && memcmp(m->head.guid, f->guid, 16) != 0))) {
        m->other = true;
        return OK;
    }
    if (m->has_head && m->head.has_guid)
        memcpy(f->guid, m->head.guid, 16);
    else if (!m->s->known)
        guid_new(f->guid);
    if (m->has_head && m->head.next > f->next)
        f->next = m->head.next;
    if (m->whole && (!m->has_head || !m->head.has_guid))
        m->rewrite = true;
    return take_lines(m, why);
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
    uint64_t words = words_of(m, fresh->uid);
    uint64_t n;

    r->modseq = modseq;
    r->keywords |= words;
    r->worded = words != 0;
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
    enum rc rc = s->fresh.len ? next_modseq(m, &modseq, why) : OK;

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
        rc = next_modseq(m, &modseq, why);
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
    enum rc rc = count ? next_modseq(m, &modseq, why) : OK;

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
           s->fresh.len == 0 && s->moved.len == 0 &&
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

/* What the texts say of the folder and its UIDs. */
static enum rc
take_texts(struct merge *m, struct why *why)
{
    enum rc rc = m->s->known ? OK : found_folder(m, why);

    if (rc == OK && !m->s->known)
        rc = read_state(m, why);
    if (rc == OK && m->s->read_uidlist)
        rc = take_uidlist(m, why);
    return rc;
}

static enum rc
merge_in(struct merge *m, struct why *why)
{
    struct buf lines = buf_in(m->a);
    enum rc rc = give_uids(m, &lines, why);

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
        rc = take_texts(m, why);
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
    rc = read_texts(&m, why);
    if (rc == OK)
        rc = transact(&m, again, why);
    hash_free(m.words);
    return rc;
}
