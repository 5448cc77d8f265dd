#include <time.h>

#include "store/merge.h"
#include "store/state.h"
#include "store/uidvalidity.h"

#define TEXT_MAX ((off_t)1 << 20) /* dovecot-keywords */
#define BACK     1024             /* bytes: the last line we know is in them */

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

enum rc
merge_read_texts(struct merge *m, struct why *why)
{
    struct scan *s = m->s;
    int dir = s->box->dir;
    enum rc rc = s->read_uidlist ? read_uidlist(m, why) : OK;

    if (rc == OK && s->read_keywords)
        rc = text_read(m->a, dir, KEYWORDS_FILE, 0, TEXT_MAX, &m->keyword_text,
                       &s->keywords, why);
    if (rc == OK && s->read_state)
        rc = text_read(m->a, dir, STATE_FILE, 0, STATE_MAX, &m->state,
                       &s->state, why);
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
        .state = m->s->state,
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
static void
read_state(struct merge *m)
{
    struct str rest = m->state;
    bool ours = state_head(&rest) == m->f.validity;
    struct state_line l;

    m->words = hash_new();
    while (state_next(&rest, &l)) {
        if (l.kind == 'M' && !m->s->known)
            m->f.reserved = l.value;
        else if (l.kind == 'K')
            m->keywords.name[l.bit] = l.name;
        else if (ours)
            keep_word(m, &l, (size_t)(rest.p - m->state.p));
    }
}

static enum rc
begin_modseqs(struct merge *m, struct why *why)
{
    uint64_t modseq;

    m->f.modseq = m->f.reserved;

    enum rc rc = merge_next_modseq(m, &modseq, why);

    m->f.floor = m->f.flushed = m->f.modseq;
    return rc;
}

bool
merge_words_of(const struct merge *m, uint32_t uid, uint64_t *words)
{
    struct str key = {(const char *)&uid, 4};
    size_t end = m->words ? (uintptr_t)hash_get(m->words, key) : 0;

    *words = 0;
    return end >= 17 && str_hex(str_sub(m->state, end - 17, 16), words);
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
    enum rc rc = merge_next_modseq(m, &modseq, why);

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

enum rc
merge_take_texts(struct merge *m, struct why *why)
{
    enum rc rc = m->s->known ? OK : found_folder(m, why);

    if (rc == OK && m->s->read_state)
        read_state(m);
    if (rc == OK && !m->s->known)
        rc = begin_modseqs(m, why);
    if (rc == OK && m->s->read_uidlist)
        rc = take_uidlist(m, why);
    return rc;
}
