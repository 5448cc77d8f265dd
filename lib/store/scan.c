/*
 * What others did to a Maildir, taken over into the index.
 *
 * look     stat calls only: has anything changed since the last time?
 * list     names in new/ and cur/, compared with the index: fresh files, files
 *          under another name, messages whose file is gone
 * merge    one transaction: dovecot-uidlist tells the UIDs of fresh files, or
 *          they get new ones, which are written there first
 *
 * Nothing is locked while folders are listed. If the index changed meanwhile,
 * or a folder did, it is done again; under dovecot-uidlist.lock, if what was
 * found needs it and others had it meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/deposit.h"
#include "store/dotlock.h"
#include "store/own.h"
#include "store/scan.h"
#include "store/state.h"
#include "sys/disk.h"

#define SCAN_LIMIT   ((size_t)4 << 30)
#define TRIES        5
#define DOUBT_WAIT   1000 /* ms for the lock, where a file was not found */
#define LOCKED_TRIES 50   /* where UIDs are to be given */
#define SECOND       INT64_C(1000000000)
#define SMALL        2000 /* messages: listing them costs a millisecond */

/* Listed names. */

static void
add_fresh(struct scan *s, const struct name *n, struct str file, bool in_new,
          bool regular)
{
    struct str kept = arena_str(s->arena, file);

    *vec_add(&s->fresh) = (struct scan_fresh){
        .file = kept,
        .rank = name_rank(str_sub(kept, 0, n->base.len)),
        .in_new = in_new,
        /* Of a folder that was unknown the names must do. */
        .measured = !s->known && regular && n->size,
        .message = message_named(n),
    };
}

/* A message that the index knows, with the file it had. */
static void
add_known(struct scan *s, uint32_t uid, const struct index_file *was,
          struct str file, bool in_new)
{
    *vec_add(&s->seen) = uid;
    s->seen_new += in_new;
    if (was->in_new == in_new && str_eq(was->name, file))
        return;
    *vec_add(&s->moved) = (struct scan_moved){
        .uid = uid, .in_new = in_new, .file = arena_str(s->arena, file)};
}

static void
add_file(struct scan *s, struct str file, bool in_new, bool regular)
{
    struct index_file was;
    struct str base;
    struct name n;
    uint32_t uid = 0;

    if (!name_base(file, &base))
        return;
    if (s->known)
        uid = index_file_find(s->box->home->kv, s->f.id, base, &was);
    if (uid)
        add_known(s, uid, &was, file, in_new);
    else if (name_parse(file, &n))
        add_fresh(s, &n, file, in_new, regular);
}

static bool
list(struct scan *s, int dir, bool in_new)
{
    DIR *d = disk_list(dir, ".");

    if (d == NULL)
        return false;
    for (struct dirent *e; (errno = 0, e = readdir(d));)
        add_file(s, str_from(e->d_name), in_new, e->d_type == DT_REG);

    int error = errno;

    closedir(d);
    errno = error;
    return error == 0;
}

static int
cmp_uid(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* Messages of the index that were not listed. */
static void
find_gone(struct scan *s)
{
    struct index_key k;
    struct str prefix = index_key(&k, 'M', s->f.id);
    struct kv_walk w;
    size_t i = 0;

    if (s->seen.len)
        qsort(s->seen.at, s->seen.len, sizeof *s->seen.at, cmp_uid);
    kv_walk_begin(&w, s->box->home->kv, prefix, prefix);
    while (kv_walk_next(&w)) {
        uint32_t uid = index_uid_of(w.key);

        while (i < s->seen.len && s->seen.at[i] < uid)
            i++;
        if (i == s->seen.len || s->seen.at[i] != uid)
            *vec_add(&s->gone) = uid;
    }
    kv_walk_end(&w);
}

/* Fresh files in their order of arrival; one that was listed twice (moved
 * meanwhile, or linked) only once, where it was last. */
static int
cmp_fresh(const void *a, const void *b)
{
    const struct scan_fresh *x = a, *y = b;
    int order = name_rank_cmp(&x->rank, &y->rank);

    return order ? order : y->in_new - x->in_new;
}

static void
order_fresh(struct scan *s)
{
    size_t kept = 0;

    if (s->fresh.len)
        qsort(s->fresh.at, s->fresh.len, sizeof *s->fresh.at, cmp_fresh);
    for (size_t i = 0; i < s->fresh.len; i++) {
        if (kept &&
            str_eq(s->fresh.at[kept - 1].rank.base, s->fresh.at[i].rank.base))
            kept--;
        s->fresh.at[kept++] = s->fresh.at[i];
    }
    s->fresh.len = kept;
}

static int
cmp_moved(const void *a, const void *b)
{
    const struct scan_moved *x = a, *y = b;
    int order = cmp_uid(&x->uid, &y->uid);

    if (order == 0)
        order = y->in_new - x->in_new;
    return order ? order : str_cmp(x->file, y->file);
}

static size_t
times_seen(const struct scan *s, uint32_t uid, size_t *at)
{
    size_t first;

    while (*at < s->seen.len && s->seen.at[*at] < uid)
        ++*at;
    first = *at;
    while (*at < s->seen.len && s->seen.at[*at] == uid)
        ++*at;
    return *at - first;
}

/* One file a message: a Maildir that was copied while it was used has some
 * under two names. That which is known stays, or flags would change to and
 * fro with each look. */
static void
order_moved(struct scan *s)
{
    size_t kept = 0, at = 0;

    if (s->moved.len == 0)
        return;
    qsort(s->moved.at, s->moved.len, sizeof *s->moved.at, cmp_moved);
    qsort(s->seen.at, s->seen.len, sizeof *s->seen.at, cmp_uid);
    for (size_t i = 0, n; i < s->moved.len; i += n) {
        uint32_t uid = s->moved.at[i].uid;

        for (n = 1; i + n < s->moved.len && s->moved.at[i + n].uid == uid;)
            n++;
        if (n == times_seen(s, uid, &at))
            s->moved.at[kept++] = s->moved.at[i + n - 1];
    }
    s->moved.len = kept;
}

/* List what has to be. False with errno. */
static bool
list_folders(struct scan *s)
{
    if (s->list_new && !list(s, s->box->new, true))
        return false;
    /* A file has left new/: is it in cur/ now? */
    if (s->known && s->list_new && s->seen_new != s->f.in_new)
        s->list_cur = true;
    if (!s->list_cur)
        return true;
    if (!s->list_new && !list(s, s->box->new, true))
        return false;
    s->list_new = true;
    if (!list(s, s->box->cur, false))
        return false;
    if (s->known)
        find_gone(s);
    return true;
}

/* Look: what changed since the last time. */

static int64_t
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

bool
scan_settled(int64_t mtime, int64_t now)
{
    int64_t tick = mtime % SECOND ? SECOND / 20 : 2 * SECOND;

    return now - mtime > tick || mtime - now > tick;
}

/* What is known of new/ or cur/. */
struct part {
    int64_t mtime;      /* now */
    int64_t known;      /* when it was listed */
    int64_t own, noted; /* as we left it ourselves; the same, in the index */
    uint32_t files;
};

static bool
must_list(const struct scan *s, const struct part *p)
{
    if (!s->known || p->mtime == 0)
        return true;
    if (p->mtime == p->known)
        return false;
    if (s->box->doubt || (p->mtime != p->own && p->mtime != p->noted))
        return true;
    /* Only we changed it, as far as can be told; once its time is over, a
     * small folder is looked through to be sure. */
    return p->files < SMALL && scan_settled(p->mtime, s->now);
}

static enum rc
look(struct scan *s, struct why *why)
{
    struct mailbox *box = s->box;
    enum rc rc = home_check(box->home, why);

    if (rc != OK)
        return rc;
    kv_env_read(box->home->kv);
    s->known = index_folder_get(box->home->kv, box->path, &s->f);
    rc = kv_env_end(box->home->kv, why);
    if (rc != OK)
        return rc;
    s->now = now_ns();
    s->new_mtime = dir_mtime(box->new);
    s->cur_mtime = dir_mtime(box->cur);
    if (!mailbox_is_there(box, s->known ? &s->f : NULL) || s->new_mtime == 0 ||
        s->cur_mtime == 0 || !text_stat(box->dir, UIDLIST_FILE, &s->uidlist) ||
        !text_stat(box->dir, KEYWORDS_FILE, &s->keywords))
        return fail(why, "5.2.0", "the folder %.*s is not there any more",
                    STR(box->name));
    const struct part new = {s->new_mtime, s->f.new_mtime, box->own_new,
                             s->f.own_new, s->f.in_new};
    const struct part cur = {s->cur_mtime, s->f.cur_mtime, box->own_cur,
                             s->f.own_cur, s->f.messages - s->f.in_new};

    s->list_new = must_list(s, &new);
    s->list_cur = must_list(s, &cur);
    s->read_uidlist = !s->known || !text_stamp_eq(&s->uidlist, &s->f.uidlist);
    s->read_keywords =
        !s->known || !text_stamp_eq(&s->keywords, &s->f.keywords);
    s->read_state = !s->known || ((s->list_new || s->list_cur) &&
                                  text_stat(box->dir, STATE_FILE, &s->state) &&
                                  !text_stamp_eq(&s->state, &s->f.state));
    return OK;
}

static bool
nothing_changed(const struct scan *s)
{
    return !s->list_new && !s->list_cur && !s->read_uidlist &&
           !s->read_keywords;
}

static enum rc
list_and_compare(struct scan *s, struct why *why)
{
    struct mailbox *box = s->box;

    kv_env_read(box->home->kv);

    bool good = list_folders(s);
    int error = errno;
    enum rc rc = kv_env_end(box->home->kv, why);

    if (rc == OK && !good)
        rc = store_fail(error, why, "cannot list %.*s", STR(box->name));
    if (rc != OK)
        return rc;
    order_fresh(s);
    order_moved(s);
    /* Names that change while they are listed may be missed. */
    s->stable = dir_mtime(box->new) == s->new_mtime &&
                dir_mtime(box->cur) == s->cur_mtime;
    return OK;
}

/* Only files are messages; where one is gone, look again. */
static bool
measure(struct scan *s, struct scan_fresh *f)
{
    struct stat st;
    struct name n;

    if (fstatat(f->in_new ? s->box->new : s->box->cur, f->file.p, &st,
                AT_SYMLINK_NOFOLLOW) < 0) {
        s->stable = false;
        return false;
    }
    if (!S_ISREG(st.st_mode) || !name_parse(f->file, &n))
        return false;
    message_measured(&f->message, &n, &st);
    return true;
}

static void
measure_fresh(struct scan *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->fresh.len; i++)
        if (s->fresh.at[i].measured || measure(s, &s->fresh.at[i]))
            s->fresh.at[kept++] = s->fresh.at[i];
    s->fresh.len = kept;
}

static void
forget(struct scan *s)
{
    vec_free(&s->fresh);
    vec_free(&s->moved);
    vec_free(&s->seen);
    vec_free(&s->gone);
    arena_free(s->arena);
}

/* Is the lock needed? Also to believe that files are gone: others rename under
 * it, and a name that changes while a folder is listed may be missed. And where
 * a file has another name: a process that writes flags into names has yet to
 * note that, and what it wrote may be changed again by now. */
static bool
needs_lock(const struct scan *s)
{
    return !s->box->locked && (s->fresh.len || s->moved.len || s->gone.len ||
                               s->read_uidlist || s->read_state);
}

/* Without the lock nothing that needs it is done, but that somebody who did not
 * find a file is told its name. */
static void
do_without(struct scan *s)
{
    if (!s->box->doubt)
        s->moved.len = 0;
    s->busy = true;
    s->stable = false;
    s->fresh.len = 0;
    s->read_uidlist = s->read_state = false;
}

enum rc
mailbox_take_lock(struct mailbox *box, int64_t wait, struct why *why)
{
    enum rc rc =
        dotlock_take(box->dir, UIDLIST_LOCK, &box->home->lock_file, wait, why);

    box->locked = rc == OK;
    return rc;
}

/*
 * Who had the lock before us may have named files and given them UIDs since we
 * looked: then, and where files are gone, look again while nobody can.
 */
static enum rc
lock(struct scan *s, bool *again, struct why *why)
{
    struct mailbox *box = s->box;
    struct text_stamp now;
    int64_t wait = box->doubt ? DOUBT_WAIT : 0;
    enum rc rc = mailbox_take_lock(box, s->known ? wait : LOCK_WAIT, why);

    if (rc != OK && s->known) {
        do_without(s);
        return OK;
    }
    if (rc == OK)
        rc = deposit_recover(box, again, why);
    if (rc != OK)
        return rc;
    *again |= s->gone.len > 0 || !text_stat(box->dir, UIDLIST_FILE, &now) ||
              !text_stamp_eq(&now, &s->uidlist);
    return rc;
}

static enum rc
scan_once(struct scan *s, bool *again, struct why *why)
{
    enum rc rc = look(s, why);

    *again = false;
    if (rc != OK || nothing_changed(s))
        return rc;
    rc = list_and_compare(s, why);
    if (rc == OK && !s->stable && !s->last) {
        *again = true;
        return OK;
    }
    measure_fresh(s);
    if (rc == OK && needs_lock(s))
        rc = lock(s, again, why);
    return rc == OK && !*again ? scan_merge(s, again, why) : rc;
}

/* *done: it was not given up because too much moved. */
static enum rc
scan_tries(struct mailbox *box, int tries, bool *busy, bool *done,
           struct why *why)
{
    bool again = true;
    enum rc rc = OK;

    for (int i = 0; rc == OK && again && i < tries; i++) {
        struct scan s = {.box = box,
                         .arena = arena_new("scan", SCAN_LIMIT),
                         .last = i >= TRIES - 1};

        rc = scan_once(&s, &again, why);
        *busy = s.busy;
        forget(&s);
    }
    *done = rc == OK && !again;
    box->doubt = box->doubt && !*done;
    if (rc == OK)
        box->generation = box->home->generation;
    return rc;
}

enum rc
mailbox_sync(struct mailbox *box, bool *busy, struct why *why)
{
    bool was_locked = box->locked, is_busy = false, done;
    enum rc rc = scan_tries(box, TRIES, &is_busy, &done, why);

    if (box->locked && !was_locked)
        mailbox_unlock(box);
    if (busy)
        *busy = is_busy;
    return rc;
}

enum rc
mailbox_sync_but_names(struct mailbox *box, struct why *why)
{
    struct scan s = {.box = box};
    enum rc rc = look(&s, why);
    bool names =
        s.known && !s.read_uidlist && !s.read_keywords && !s.read_state;

    return rc == OK && !names ? mailbox_sync(box, NULL, why) : rc;
}

enum rc
mailbox_lock(struct mailbox *box, int64_t wait, struct why *why)
{
    bool busy = false, done = false, removed;
    enum rc rc = mailbox_take_lock(box, wait, why);

    if (rc != OK)
        return rc;
    rc = home_check(box->home, why);
    if (rc == OK)
        rc = deposit_recover(box, &removed, why);
    if (rc == OK)
        rc = scan_tries(box, LOCKED_TRIES, &busy, &done, why);
    if (rc == OK && !done)
        rc = fail(why, "4.2.0", "the folder %.*s is in use", STR(box->name));
    if (rc != OK)
        mailbox_unlock(box);
    return rc;
}

void
mailbox_unlock(struct mailbox *box)
{
    box->locked = false;
    dotlock_drop(box->dir, UIDLIST_LOCK);
}
