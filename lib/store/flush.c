#include <errno.h>
#include <unistd.h>

#include "store/flags.h"
#include "store/own.h"
#include "store/state.h"
#include "sys/disk.h"

/* Lines in dovecot-uidlist that need not be there. */
#define STALE 1000

#define CLOSE_WAIT 1000 /* ms for others' lock, where it is the last chance */

struct plan {
    uint32_t uid;
    bool in_new, done;
    const char *from, *to;
    bool words; /* posta-state gets a line */
    uint64_t keywords;
};

struct flush {
    struct mailbox *box;
    struct arena *a;
    struct kv_env *kv;
    struct index_folder f;
    size_t max;
    bool new_done;
    VEC(struct plan) plans;
    uint64_t upto;           /* changes up to here are done with the plans */
    struct text_stamp state; /* of posta-state, with their lines */
    bool worded;             /* there were such */
    bool left, failed, locked;
};

/* What must be done so that the file says what the record says. */
static void
plan(struct flush *fl, uint32_t uid)
{
    struct index_message m;
    struct index_file file;
    struct name n;

    if (!index_message_get(fl->kv, fl->f.id, uid, &m) ||
        !index_file_get(fl->kv, fl->f.id, uid, &file) ||
        !name_parse(file.name, &n))
        return;
    bool words = (m.keywords & ~LETTERS_MASK) || m.worded;
    bool rename = file.in_new ? fl->f.claimed || m.flags || m.keywords
                              : n.flags != m.flags ||
                                    n.keywords != (m.keywords & LETTERS_MASK);

    /* Those in new/ were planned first. */
    if ((!rename && !words) || (file.in_new && fl->new_done))
        return;
    *vec_add(&fl->plans) = (struct plan){
        .uid = uid,
        .in_new = file.in_new,
        .done = !rename,
        .from = arena_cstr(fl->a, file.name),
        .to = name_with(fl->a, &n, m.flags, m.keywords),
        .words = words,
        .keywords = m.keywords & ~LETTERS_MASK,
    };
}

static bool
is_full(const struct flush *fl)
{
    return fl->plans.len >= fl->max;
}

/* One C pair; false where it was not finished. */
static bool
plan_range(struct flush *fl, uint64_t modseq, uint32_t first, uint32_t last)
{
    struct index_key prefix, from;
    struct kv_walk w;
    bool whole = true;

    kv_walk_begin(&w, fl->kv, index_key(&prefix, 'M', fl->f.id),
                  index_key_uid(&from, 'M', fl->f.id, first));
    while (whole && kv_walk_next(&w) && index_uid_of(w.key) <= last) {
        if (is_full(fl))
            whole = false;
        else if (index_message_of(w.value).modseq == modseq)
            plan(fl, index_uid_of(w.key));
    }
    kv_walk_end(&w);
    return whole;
}

static void
plan_changes(struct flush *fl)
{
    struct index_key prefix, from;
    struct kv_walk w;
    uint64_t begun = 0;

    fl->upto = fl->f.flushed;
    kv_walk_begin(&w, fl->kv, index_key(&prefix, 'C', fl->f.id),
                  index_key_modseq(&from, 'C', fl->f.id, fl->f.flushed + 1, 0));
    while (!fl->left && kv_walk_next(&w)) {
        uint64_t modseq = index_modseq_of(w.key);

        if (begun && modseq != begun)
            fl->upto = begun;
        begun = modseq;
        if (!plan_range(fl, modseq, index_uid_of(w.key),
                        index_last_of(w.value)))
            fl->left = true;
    }
    kv_walk_end(&w);
    if (!fl->left)
        fl->upto = fl->f.modseq;
}

/* Files that still are in new/. */
static void
plan_new(struct flush *fl)
{
    DIR *d = disk_list(fl->box->new, ".");
    struct name n;

    if (d == NULL)
        return;
    for (struct dirent *e; (e = readdir(d));) {
        if (!name_parse(str_from(e->d_name), &n))
            continue;
        if (is_full(fl)) {
            fl->left = true;
            break;
        }
        struct index_file file;
        uint32_t uid = index_file_find(fl->kv, fl->f.id, n.base, &file);

        if (uid)
            plan(fl, uid);
    }
    closedir(d);
}

static void
rename_files(struct flush *fl)
{
    struct mailbox *box = fl->box;
    bool in_new = false;

    mailbox_own_begin(box, &fl->f);
    for (size_t i = 0; i < fl->plans.len; i++) {
        struct plan *p = &fl->plans.at[i];

        if (p->done)
            continue;
        in_new |= p->in_new;
        p->done = disk_move(p->in_new ? box->new : box->cur, p->from, box->cur,
                            p->to);
        if (!p->done)
            fl->failed = true;
    }
    mailbox_own_end(box, in_new);
}

static void
note_file(struct flush *fl, const struct plan *p)
{
    struct index_file is, to = {false, str_from(p->to)};
    struct index_message old, m;

    if (index_file_get(fl->kv, fl->f.id, p->uid, &is) &&
        is.in_new == p->in_new && str_eq(is.name, str_from(p->from)))
        index_file_put(fl->kv, &fl->f, p->uid, &to);
    if (!p->words || !index_message_get(fl->kv, fl->f.id, p->uid, &old))
        return;
    m = old;
    m.worded = (p->keywords | (m.keywords & ~LETTERS_MASK)) != 0;
    index_message_put(fl->kv, &fl->f, p->uid, &old, &m);
}

/* posta-state anew, with one line for each message that needs one. */
static enum rc
compact(struct flush *fl, struct why *why)
{
    struct buf b = buf_in(fl->a);
    struct state_line l = {.kind = 'M', .value = fl->f.reserved};
    struct keywords k;
    struct index_key key;
    struct str prefix = index_key(&key, 'M', fl->f.id);
    struct kv_walk w;

    state_put_head(&b, fl->f.validity);
    state_put(&b, &l);
    index_keywords_get(fl->a, fl->kv, fl->f.id, &k);
    l.kind = 'K';
    for (l.bit = KEYWORD_LETTERS; l.bit < KEYWORDS_MAX; l.bit++)
        if ((l.name = k.name[l.bit]).len)
            state_put(&b, &l);
    l.kind = 'U';
    kv_walk_begin(&w, fl->kv, prefix, prefix);
    while (kv_walk_next(&w)) {
        l.uid = index_uid_of(w.key);
        l.value = index_message_of(w.value).keywords & ~LETTERS_MASK;
        if (l.value)
            state_put(&b, &l);
    }
    kv_walk_end(&w);
    return text_write(fl->box->dir, STATE_FILE, buf_str(&b), &fl->f.state, why);
}

/* Their lines in posta-state. */
static struct str
words_of(struct flush *fl)
{
    struct buf b = buf_in(fl->a);
    struct state_line l = {.kind = 'U'};

    for (size_t i = 0; i < fl->plans.len; i++) {
        if (!fl->plans.at[i].words)
            continue;
        l.uid = fl->plans.at[i].uid;
        l.value = fl->plans.at[i].keywords;
        state_put(&b, &l);
    }
    return buf_str(&b);
}

/* Before the files get their names: if the index is lost then, whoever makes
 * it anew finds both. */
static enum rc
write_words(struct flush *fl, struct why *why)
{
    struct str lines = words_of(fl);

    if (lines.len == 0)
        return OK;
    fl->worded = true;
    fl->state = fl->f.state;
    return state_append(fl->box->dir, lines, false, &fl->state, why);
}

static enum rc
note_words(struct flush *fl, struct why *why)
{
    struct text_stamp now;

    if (!fl->worded)
        return OK;
    fl->f.state = fl->state;
    if (fl->f.state.size <= 8192 + 64 * (int64_t)fl->f.messages ||
        !text_stat(fl->box->dir, STATE_FILE, &now) ||
        !text_stamp_eq(&now, &fl->f.state))
        return OK; /* small enough, or with lines that nobody has read */
    return compact(fl, why);
}

static enum rc
note_all(struct flush *fl, struct why *why)
{
    unsigned generation = fl->box->home->generation;
    uint32_t id = fl->f.id;
    enum rc rc = mailbox_write(fl->box, &fl->f, why);

    if (rc != OK)
        return rc;
    /* Was the index made anew, from the files? */
    if (fl->f.id != id || fl->box->home->generation != generation) {
        mailbox_abort(fl->box);
        return OK;
    }
    for (size_t i = 0; i < fl->plans.len; i++)
        if (fl->plans.at[i].done)
            note_file(fl, &fl->plans.at[i]);
    rc = note_words(fl, why);
    if (rc != OK) {
        mailbox_abort(fl->box);
        return rc;
    }
    if (!fl->failed && fl->upto > fl->f.flushed)
        fl->f.flushed = fl->upto;
    if (!fl->failed && !fl->left && fl->f.in_new == 0)
        fl->f.claimed = 0;
    return mailbox_commit(fl->box, &fl->f, why);
}

static enum rc
is_idle(struct flush *fl, bool *idle, struct why *why)
{
    enum rc rc = mailbox_read(fl->box, &fl->f, why);

    if (rc != OK)
        return rc;
    *idle = fl->f.flushed >= fl->f.modseq && !(fl->f.claimed && fl->f.in_new);
    return mailbox_end(fl->box, why);
}

static enum rc
flush(struct flush *fl, struct why *why)
{
    enum rc rc = mailbox_read(fl->box, &fl->f, why);

    if (rc != OK)
        return rc;
    fl->kv = fl->box->home->kv;
    /* new/ first: what is moved has its flags then. */
    if (fl->f.claimed && fl->f.in_new)
        plan_new(fl);
    fl->new_done = fl->f.claimed && fl->f.in_new;
    if (!fl->left)
        plan_changes(fl);
    rc = mailbox_end(fl->box, why);
    if (rc == OK)
        rc = write_words(fl, why);
    if (rc != OK)
        return rc;
    rename_files(fl);
    return note_all(fl, why);
}

/* Under the lock: others may list the folder while they have it, and must not
 * miss files that get other names meanwhile. */
static enum rc
flush_locked(struct flush *fl, int64_t wait, struct why *why)
{
    bool idle = true;
    enum rc rc = is_idle(fl, &idle, why);

    if (rc != OK || idle)
        return rc;
    rc = mailbox_lock(fl->box, wait, why);
    fl->locked = rc == TEMP;
    if (fl->locked)
        return OK;
    if (rc != OK)
        return rc;
    rc = flush(fl, why);
    mailbox_unlock(fl->box);
    return rc;
}

enum rc
flags_flush(struct mailbox *box, size_t max, enum flags_left *left,
            struct why *why)
{
    struct flush fl = {
        .box = box, .max = max, .a = arena_new("flush", (size_t)4 << 30)};
    enum rc rc = flush_locked(&fl, max == SIZE_MAX ? CLOSE_WAIT : 0, why);

    vec_free(&fl.plans);
    arena_free(fl.a);
    if (left)
        *left = fl.locked || fl.failed ? FLAGS_FOR_LATER
                : fl.left              ? FLAGS_MORE_LEFT
                                       : FLAGS_NONE_LEFT;
    if (rc == OK && !fl.left && !fl.locked &&
        fl.f.stale > STALE + fl.f.messages)
        rc = uidlist_tidy(box, why);
    if (rc != OK || !fl.failed)
        return rc;
    /* Somebody else has renamed them: what is what? */
    mailbox_own_doubt(box);
    return mailbox_sync(box, NULL, why);
}

/* ---- the index has been removed */

/* Those who made a new one from the files before us see that somebody else has
 * changed cur/, and take the names and posta-state over; our own new one is
 * made afterwards. */
static bool
rescue_planned(struct flush *fl)
{
    struct mailbox *box = fl->box;
    bool was_locked = box->locked;
    struct why why;

    if (fl->plans.len == 0)
        return true;
    if (!was_locked && mailbox_take_lock(box, CLOSE_WAIT, &why) != OK)
        return false;
    (void)!write_words(fl, &why);
    rename_files(fl);
    if (fl->worded)
        (void)!futimens(box->cur, NULL);
    if (!was_locked)
        mailbox_unlock(box);
    return true;
}

static bool
rescue(struct mailbox *box)
{
    struct flush fl = {.box = box,
                       .kv = box->home->kv,
                       .max = SIZE_MAX,
                       .a = arena_new("rescue", (size_t)4 << 30)};
    struct why why;

    kv_env_read(fl.kv);
    if (index_folder_get(fl.kv, box->path, &fl.f))
        plan_changes(&fl);

    bool good = kv_env_end(fl.kv, &why) != OK || rescue_planned(&fl);

    vec_free(&fl.plans);
    arena_free(fl.a);
    return good;
}

struct paths {
    VEC(struct str) list;
};

/* Of folders with changes that no file says yet. */
static void
find_unflushed(struct home *h, struct arena *a, struct paths *paths)
{
    struct index_folder f;
    struct kv_walk w;
    struct why why;

    kv_env_read(h->kv);
    kv_walk_begin(&w, h->kv, S("F"), S("F"));
    while (kv_walk_next(&w)) {
        struct str path = str_sub(w.key, 1, w.key.len);

        if (index_folder_get(h->kv, path, &f) && f.modseq > f.flushed)
            *vec_add(&paths->list) = arena_str(a, path);
    }
    kv_walk_end(&w);
    (void)!kv_env_end(h->kv, &why);
}

bool
flags_rescue(struct home *h)
{
    struct arena *a = arena_new("rescued", (size_t)64 << 20);
    struct paths paths = {0};
    bool all = true;

    find_unflushed(h, a, &paths);
    for (size_t i = 0; i < paths.list.len; i++) {
        struct mailbox *box = mailbox_at(h, paths.list.at[i]);

        if (box == NULL)
            continue;
        if (!rescue(box))
            all = false;
        mailbox_let_go(box);
    }
    vec_free(&paths.list);
    arena_free(a);
    return all;
}
