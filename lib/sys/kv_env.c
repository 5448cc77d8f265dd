#include "sys/kv_env.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/disk.h"
#include "sys/kv.h"
#include "sys/kv_check.h"

#define MAP_MIN   ((size_t)1 << 30)
#define STATE_LEN 4096

/* The file `state`, mapped by all who have the environment open. */
struct state {
    char magic[16];
    char boot[48];          /* boot_id of the system that wrote here last */
    uint64_t ino;           /* of data.mdb */
    int64_t size, mtime;    /* of data.mdb when the last one closed it */
    uint32_t open;          /* not closed in good order since */
    _Atomic uint32_t dirty; /* commits that are not synced */
    _Atomic uint32_t dead;  /* do not use: */
};

enum {
    SPOILED = 1, /* it may be damaged */
    ORPHANED,    /* the files were removed; what only it knows is to be saved */
    REMOVED,     /* and that has been done */
};

static const char magic[16] = "posta index 1";

struct kv_env {
    MDB_env *env;
    MDB_txn *reader, *writer; /* reader is kept, and renewed */
    MDB_dbi dbi;
    struct state *state;
    int lock;     /* of `state`: flock shared while it is open */
    uint64_t ino; /* of data.mdb */
    int error;    /* first one of this transaction: errno or LMDB's */
    bool reading, gone, removed;
    char path[PATH_MAX - 16];
};

struct path {
    char s[PATH_MAX];
};

static struct path
file_of(const struct kv_env *e, const char *name)
{
    struct path p;

    snprintf(p.s, sizeof p.s, "%s/%s", e->path, name);
    return p;
}

static struct str
view(MDB_val v)
{
    return (struct str){v.mv_data, v.mv_size};
}

static MDB_val
val(struct str s)
{
    return (MDB_val){s.len, (void *)(uintptr_t)s.p};
}

static void
read_boot_id(char boot[48])
{
    auto_close int fd =
        open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

    memset(boot, 0, 48);
    if (fd < 0 || read(fd, boot, 47) < 0)
        boot[0] = '?';
}

static bool
stat_data(const struct kv_env *e, struct stat *st)
{
    return stat(file_of(e, "data.mdb").s, st) == 0;
}

static int64_t
mtime_of(const struct stat *st)
{
    return st->st_mtim.tv_sec * INT64_C(1000000000) + st->st_mtim.tv_nsec;
}

/* Are the pages that can be reached sound? */
static bool
pages_sound(const struct kv_env *e, const struct stat *st)
{
    auto_close int fd = open(file_of(e, "data.mdb").s, O_RDONLY | O_CLOEXEC);
    size_t size = (size_t)st->st_size;
    char *p = fd < 0 || size == 0
                  ? MAP_FAILED
                  : mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

    if (p == MAP_FAILED)
        return false;
    bool sound = kv_check((struct str){p, size}) == NULL;

    munmap(p, size);
    return sound;
}

/* May what is there be used? Nobody else has it open. */
static bool
usable(const struct kv_env *e, const char *boot)
{
    const struct state *s = e->state;
    struct stat st;

    if (memcmp(s->magic, magic, sizeof magic) != 0 || s->dead ||
        !stat_data(e, &st) || !S_ISREG(st.st_mode))
        return false;
    if (s->dirty && memcmp(s->boot, boot, sizeof s->boot) != 0)
        return false;
    if (!s->open)
        return s->ino == st.st_ino && s->size == st.st_size &&
               s->mtime == mtime_of(&st);
    return pages_sound(e, &st);
}

/* Larger than what is there, by far: growing needs a moment without readers. */
static size_t
map_size(off_t size)
{
    size_t want = MAP_MIN;

    while (want < (size_t)size * 4)
        want *= 2;
    return want;
}

/* By name: closing a descriptor of LMDB's files would let go of its locks. */
static void
share_named(const struct kv_env *e, const char *name)
{
    struct path p = file_of(e, name);
    struct stat in, st;

    if (stat(e->path, &in) < 0 || !(in.st_mode & S_IWGRP) ||
        stat(p.s, &st) < 0 || st.st_uid != geteuid())
        return;
    if (st.st_gid != in.st_gid)
        (void)!chown(p.s, (uid_t)-1, in.st_gid);
    (void)!chmod(p.s, 0660);
}

static int
attach(struct kv_env *e)
{
    struct stat st = {0};
    MDB_txn *txn;
    int err = mdb_env_create(&e->env);

    (void)stat_data(e, &st);
    if (err == 0)
        err = mdb_env_set_mapsize(e->env, map_size(st.st_size));
    if (err == 0)
        err = mdb_env_open(e->env, e->path, MDB_NOSYNC | MDB_NOTLS, 0600);
    if (err)
        return err;

    int dead = 0;

    share_named(e, "data.mdb");
    share_named(e, "lock.mdb");
    mdb_reader_check(e->env, &dead);
    err = mdb_txn_begin(e->env, NULL, MDB_RDONLY, &txn);
    if (err == 0)
        err = mdb_dbi_open(txn, NULL, 0, &e->dbi);
    if (err == 0)
        err = mdb_txn_commit(txn);
    if (err == 0)
        err = mdb_txn_begin(e->env, NULL, MDB_RDONLY, &e->reader);
    if (err)
        return err;
    mdb_txn_reset(e->reader);
    if (!stat_data(e, &st))
        return errno;
    e->ino = st.st_ino;
    return 0;
}

/* Others of the folder's group may use what is ours. */
static bool
share(const struct kv_env *e, int fd)
{
    struct stat st;

    return fstat(fd, &st) < 0 || st.st_uid != geteuid() ||
           disk_share(fd, AT_FDCWD, e->path);
}

/* One process at a time opens or closes. */
static void
hold_door(const struct kv_env *e, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET};

    (void)fcntl(e->lock, F_OFD_SETLKW, &lock);
}

/* Open, or make, the state file of that name and stand in its door. */
static bool
map_state(struct kv_env *e, const char *name, int flags)
{
    e->lock = open(file_of(e, name).s,
                   O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (e->lock < 0 || ftruncate(e->lock, STATE_LEN) < 0 || !share(e, e->lock))
        return false;
    e->state =
        mmap(NULL, STATE_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, e->lock, 0);
    if (e->state == MAP_FAILED) {
        e->state = NULL;
        return false;
    }
    hold_door(e, F_WRLCK);
    return true;
}

static void
unmap_state(struct kv_env *e)
{
    if (e->state)
        munmap(e->state, STATE_LEN);
    if (e->lock >= 0)
        close(e->lock);
    e->state = NULL;
    e->lock = -1;
}

/* Stand in the door of the state file that has the name at that moment. */
static bool
find_state(struct kv_env *e)
{
    struct stat mine, named;

    for (;;) {
        if (!map_state(e, "state", 0) || fstat(e->lock, &mine) < 0)
            return false;
        if (stat(file_of(e, "state").s, &named) == 0 &&
            named.st_ino == mine.st_ino)
            return true;
        unmap_state(e);
    }
}

/* A new state file takes the place of the old one. */
static bool
replace_state(struct kv_env *e)
{
    unlink(file_of(e, "state.new").s);
    if (!map_state(e, "state.new", O_EXCL) ||
        flock(e->lock, LOCK_EX | LOCK_NB) < 0 ||
        rename(file_of(e, "state.new").s, file_of(e, "state").s) < 0)
        return false;
    memcpy(e->state->magic, magic, sizeof magic);
    return true;
}

/*
 * Throw away what is there. Those who have it open see that it is dead, and
 * why; the new files are not shared with them. The old door stays shut until
 * nobody can find it any more.
 */
static bool
start_anew(struct kv_env *e, uint32_t why)
{
    struct kv_env old = {.lock = e->lock, .state = e->state};

    unlink(file_of(e, "data.mdb").s);
    unlink(file_of(e, "lock.mdb").s);
    if (!old.state->dead)
        old.state->dead = why;
    e->state = NULL;
    e->lock = -1;

    bool good = replace_state(e);
    int error = errno;

    unmap_state(&old);
    errno = error;
    return good;
}

static void
detach(struct kv_env *e)
{
    if (e->writer)
        mdb_txn_abort(e->writer);
    if (e->reader)
        mdb_txn_abort(e->reader);
    if (e->env)
        mdb_env_close(e->env);
    e->writer = e->reader = NULL;
    e->env = NULL;
}

static void
release(struct kv_env *e)
{
    detach(e);
    unmap_state(e);
    free(e);
}

static enum rc
trouble(struct why *why, const struct kv_env *e, int error)
{
    bool full = error == ENOSPC || error == EDQUOT;

    return fail(why, full ? "4.3.1" : "4.3.0", "%s: %s", e->path,
                mdb_strerror(error));
}

/* Is the file that others have open not there any more? */
static bool
is_orphaned(const struct kv_env *e)
{
    struct stat st;

    return !stat_data(e, &st) || st.st_ino != e->state->ino;
}

static int
enter(struct kv_env *e, bool *fresh)
{
    char boot[48];
    bool alone = flock(e->lock, LOCK_EX | LOCK_NB) == 0;
    bool orphaned = !alone && !e->state->dead && is_orphaned(e);

    read_boot_id(boot);
    *fresh = e->state->dead || orphaned || (alone && !usable(e, boot));
    if (*fresh && !start_anew(e, orphaned ? ORPHANED : SPOILED))
        return errno;

    int err = attach(e);

    if (err && alone && !*fresh) { /* LMDB itself does not like it */
        detach(e);
        *fresh = true;
        err = start_anew(e, SPOILED) ? attach(e) : errno;
    }
    if (err)
        return err;
    memcpy(e->state->boot, boot, sizeof boot);
    e->state->ino = e->ino;
    e->state->open = 1;
    return flock(e->lock, LOCK_SH) < 0 ? errno : 0;
}

enum rc
kv_env_open(const char *path, struct kv_env **out, bool *fresh, struct why *why)
{
    struct kv_env *e = calloc(1, sizeof *e);

    if (e == NULL)
        log_fatal("out of memory for an index");
    *out = NULL;
    e->lock = -1;
    if ((size_t)snprintf(e->path, sizeof e->path, "%s", path) >=
        sizeof e->path) {
        release(e);
        return fail(why, "4.3.0", "%s: name is too long", path);
    }
    if ((!disk_make_dir(AT_FDCWD, path) && errno != EEXIST) || !find_state(e)) {
        enum rc rc = fail(why, "4.3.0", "cannot make %s: %m", path);

        release(e);
        return rc;
    }

    int err = enter(e, fresh);

    hold_door(e, F_UNLCK);
    if (err == 0) {
        *out = e;
        return OK;
    }

    enum rc rc = trouble(why, e, err);

    release(e);
    return rc;
}

static void
leave_synced(struct kv_env *e)
{
    struct stat st;

    if (mdb_env_sync(e->env, 1) != 0 || !stat_data(e, &st) ||
        st.st_ino != e->ino)
        return;
    e->state->ino = st.st_ino;
    e->state->size = st.st_size;
    e->state->mtime = mtime_of(&st);
    e->state->dirty = 0;
    e->state->open = 0;
    msync(e->state, STATE_LEN, MS_SYNC);
}

void
kv_env_close(struct kv_env *e)
{
    if (e == NULL)
        return;
    hold_door(e, F_WRLCK);
    if (!e->gone && flock(e->lock, LOCK_EX | LOCK_NB) == 0)
        leave_synced(e);
    release(e); /* and the door with it */
}

bool
kv_env_gone(const struct kv_env *e)
{
    return e == NULL || e->gone || e->state->dead;
}

bool
kv_env_salvage(struct kv_env *e)
{
    if (e == NULL || (!e->removed && e->state->dead != ORPHANED))
        return false;
    hold_door(e, F_WRLCK);
    if (!e->state->dead || e->state->dead == ORPHANED)
        return true;
    hold_door(e, F_UNLCK);
    return false;
}

void
kv_env_salvaged(struct kv_env *e, bool all)
{
    if (all)
        e->state->dead = REMOVED;
    hold_door(e, F_UNLCK);
}

void
kv_env_spoil(struct kv_env *e)
{
    e->gone = true;
    e->state->dead = SPOILED;
}

bool
kv_env_dirty(const struct kv_env *e)
{
    return e->state->dirty != 0;
}

void
kv_env_rest(const struct kv_env *e)
{
    MDB_envinfo info;

    if (mdb_env_info(e->env, &info) == 0 && info.me_mapaddr)
        madvise(info.me_mapaddr, info.me_mapsize, MADV_DONTNEED);
}

/* Remember the first trouble; damage is the end of this environment. */
static bool
note(struct kv_env *e, int err)
{
    if (err == 0 || err == MDB_NOTFOUND)
        return err == 0;
    if (e->error == 0)
        e->error = err;
    if (err == MDB_CORRUPTED || err == MDB_PAGE_NOTFOUND || err == MDB_PANIC ||
        err == MDB_INVALID || err == MDB_BAD_TXN || err == MDB_BAD_RSLOT)
        kv_env_spoil(e);
    return false;
}

enum rc
kv_env_sync(struct kv_env *e, struct why *why)
{
    if (!e->state->dirty)
        return OK;
    if (kv_env_write(e, why) != OK) /* so nobody else commits meanwhile */
        return TEMP;

    int err = mdb_env_sync(e->env, 1);

    if (err == 0)
        e->state->dirty = 0;
    kv_env_abort(e);
    if (err)
        return trouble(why, e, err);
    msync(e->state, STATE_LEN, MS_ASYNC);
    return OK;
}

void
kv_env_read(struct kv_env *e)
{
    must(!e->reading && e->writer == NULL);
    e->error = 0;
    e->reading = true;

    int err = mdb_txn_renew(e->reader);

    /* Another process let it grow beyond our map. */
    if (err == MDB_MAP_RESIZED && mdb_env_set_mapsize(e->env, 0) == 0)
        err = mdb_txn_renew(e->reader);
    note(e, err);
}

enum rc
kv_env_end(struct kv_env *e, struct why *why)
{
    must(e->reading);
    e->reading = false;
    mdb_txn_reset(e->reader);
    return e->error ? trouble(why, e, e->error) : OK;
}

static bool
was_replaced(struct kv_env *e)
{
    struct stat st;

    if (kv_env_gone(e))
        return true;
    if (stat_data(e, &st) && st.st_ino == e->ino)
        return false;
    return e->gone = e->removed = true;
}

/* Double the map when it is half full, as long as nobody is in it. */
static int
grow(struct kv_env *e)
{
    MDB_envinfo info;
    MDB_stat stat;
    int err = mdb_env_info(e->env, &info);

    if (err == 0)
        err = mdb_env_stat(e->env, &stat);
    if (err == 0 && info.me_last_pgno * stat.ms_psize > info.me_mapsize / 2)
        err = mdb_env_set_mapsize(e->env, info.me_mapsize * 2);
    return err;
}

static enum rc
no_longer(const struct kv_env *e, struct why *why)
{
    return fail(why, "4.3.0", "%s has been removed", e->path);
}

static int
begin_writer(struct kv_env *e)
{
    int err = grow(e);

    if (err == 0)
        err = mdb_txn_begin(e->env, NULL, 0, &e->writer);
    if (err == MDB_MAP_RESIZED && mdb_env_set_mapsize(e->env, 0) == 0)
        err = mdb_txn_begin(e->env, NULL, 0, &e->writer);
    return err;
}

enum rc
kv_env_write(struct kv_env *e, struct why *why)
{
    must(!e->reading && e->writer == NULL);
    e->error = 0;
    if (kv_env_gone(e))
        return no_longer(e, why);

    int err = begin_writer(e);

    /* Now, as whoever writes after us sees it, too. */
    if (err == 0 && !was_replaced(e))
        return OK;
    if (err == 0) {
        kv_env_abort(e);
        return no_longer(e, why);
    }
    e->writer = NULL;
    note(e, err);
    return trouble(why, e, err);
}

enum rc
kv_env_commit(struct kv_env *e, struct why *why)
{
    must(e->writer != NULL);
    if (e->error) {
        kv_env_abort(e);
        return trouble(why, e, e->error);
    }
    /* The mark is on the medium before anything that needs it. */
    if (!e->state->dirty) {
        e->state->dirty = 1;
        msync(e->state, STATE_LEN, MS_SYNC);
    }

    int err = mdb_txn_commit(e->writer);

    e->writer = NULL;
    note(e, err);
    return err ? trouble(why, e, err) : OK;
}

void
kv_env_abort(struct kv_env *e)
{
    must(e->writer != NULL);
    mdb_txn_abort(e->writer);
    e->writer = NULL;
}

static MDB_txn *
txn_of(const struct kv_env *e)
{
    must(e->writer || e->reading);
    return e->writer ? e->writer : e->reader;
}

bool
kv_env_get(struct kv_env *e, struct str key, struct str *value)
{
    MDB_val k = val(key), v;

    if (e->error || !note(e, mdb_get(txn_of(e), e->dbi, &k, &v)))
        return false;
    *value = view(v);
    return true;
}

void
kv_env_put(struct kv_env *e, struct str key, struct str value)
{
    MDB_val k = val(key), v = val(value);

    if (e->error == 0)
        note(e, mdb_put(txn_of(e), e->dbi, &k, &v, 0));
}

bool
kv_env_del(struct kv_env *e, struct str key)
{
    MDB_val k = val(key);

    return e->error == 0 && note(e, mdb_del(txn_of(e), e->dbi, &k, NULL));
}

void
kv_walk_begin(struct kv_walk *w, struct kv_env *e, struct str prefix,
              struct str from)
{
    MDB_cursor *c = NULL;

    *w = (struct kv_walk){.env = e, .prefix = prefix, .from = from};
    if (e->error == 0 && note(e, mdb_cursor_open(txn_of(e), e->dbi, &c)))
        w->cursor = c;
}

static bool
move(struct kv_walk *w, MDB_cursor_op op, struct str at)
{
    MDB_val k = val(at), v;

    if (w->cursor == NULL || w->env->error ||
        !note(w->env, mdb_cursor_get(w->cursor, &k, &v, op)))
        return false;
    w->key = view(k);
    w->value = view(v);
    return op == MDB_SET_KEY || str_starts(w->key, w->prefix);
}

bool
kv_walk_next(struct kv_walk *w)
{
    bool first = !w->started;

    w->started = true;
    return move(w, first ? MDB_SET_RANGE : MDB_NEXT, w->from);
}

bool
kv_walk_find(struct kv_walk *w, struct str key)
{
    w->started = true;
    return move(w, MDB_SET_KEY, key);
}

/* The pair before the first key that is over all with the prefix. */
bool
kv_walk_last(struct kv_walk *w)
{
    char over[64];
    size_t len = w->prefix.len;

    must(len > 0 && len <= sizeof over);
    memcpy(over, w->prefix.p, len);
    while (len > 0 && (unsigned char)over[len - 1] == 0xff)
        len--;
    must(len > 0);
    over[len - 1]++;
    w->started = true;
    move(w, MDB_SET_RANGE, (struct str){over, len});
    if (w->key.len == 0)
        return move(w, MDB_LAST, (struct str){0});
    return move(w, MDB_PREV, (struct str){0});
}

bool
kv_walk_add(struct kv_walk *w, struct str key, struct str value)
{
    MDB_val k = val(key), v = val(value);

    if (w->cursor == NULL || w->env->error)
        return false;

    int err = mdb_cursor_put(w->cursor, &k, &v, MDB_NOOVERWRITE);

    return err != MDB_KEYEXIST && note(w->env, err);
}

void
kv_walk_set(struct kv_walk *w, struct str value)
{
    char key[KV_KEY_MAX]; /* the page that holds it may move */
    MDB_val k = {w->key.len, key}, v = val(value);

    must(w->key.len <= sizeof key);
    memcpy(key, w->key.p, w->key.len);
    if (w->cursor && w->env->error == 0)
        note(w->env, mdb_cursor_put(w->cursor, &k, &v, MDB_CURRENT));
}

void
kv_walk_del(struct kv_walk *w)
{
    if (w->cursor && w->env->error == 0)
        note(w->env, mdb_cursor_del(w->cursor, 0));
}

void
kv_walk_end(struct kv_walk *w)
{
    if (w->cursor)
        mdb_cursor_close(w->cursor);
    w->cursor = NULL;
}
