#include "sys/kv.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/disk.h"
#include "sys/kv_check.h"

struct kv {
    MDB_env *env;
    MDB_txn *txn; /* of the one snapshot there ever is */
    MDB_dbi dbi;
    MDB_cursor *cursor;
    struct stat st;
};

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

int
kv_cmp(struct str a, struct str b)
{
    return str_cmp(a, b);
}

/* What is wrong with the open file, or NULL. */
static const char *
examine(int fd, const struct stat *st)
{
    if (!S_ISREG(st->st_mode))
        return "is no file";
    if (st->st_size == 0)
        return "is empty";

    size_t size = (size_t)st->st_size;
    char *p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

    if (p == MAP_FAILED)
        return "cannot be mapped into memory";

    const char *wrong = kv_check((struct str){p, size});

    munmap(p, size);
    return wrong;
}

/* 0, errno, or LMDB's own number, which is below 0. */
static int
attach(struct kv *k, const char *path)
{
    int err = mdb_env_create(&k->env);

    /* As large as the file: no address space for growth that never comes. */
    if (err == 0)
        err = mdb_env_set_mapsize(k->env, (size_t)k->st.st_size);
    if (err == 0)
        err = mdb_env_open(k->env, path, MDB_RDONLY | MDB_NOLOCK | MDB_NOSUBDIR,
                           0);
    if (err == 0)
        err = mdb_txn_begin(k->env, NULL, MDB_RDONLY, &k->txn);
    if (err == 0)
        err = mdb_dbi_open(k->txn, NULL, 0, &k->dbi);
    if (err == 0)
        err = mdb_cursor_open(k->txn, k->dbi, &k->cursor);
    return err;
}

enum rc
kv_open(const char *path, struct kv **out, struct why *why)
{
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat st;

    *out = NULL;
    if (fd < 0 || fstat(fd, &st) < 0)
        return fail(why, "4.3.0", "%s: %m", path);

    const char *wrong = examine(fd, &st);

    if (wrong) {
        errno = EINVAL;
        return fail(why, "4.3.0", "%s %s", path, wrong);
    }

    struct kv *k = calloc(1, sizeof *k);

    if (k == NULL)
        log_fatal("out of memory for a table");
    k->st = st;

    int err = attach(k, path);

    if (err == 0) {
        *out = k;
        return OK;
    }
    kv_close(k);
    errno = err > 0 ? err : EINVAL;
    return fail(why, "4.3.0", "%s: %s", path, mdb_strerror(err));
}

void
kv_close(struct kv *k)
{
    if (k == NULL)
        return;
    if (k->cursor)
        mdb_cursor_close(k->cursor);
    if (k->txn)
        mdb_txn_abort(k->txn);
    if (k->env)
        mdb_env_close(k->env);
    free(k);
}

void
kv_stat(const struct kv *k, struct stat *st)
{
    *st = k->st;
}

size_t
kv_count(const struct kv *k)
{
    MDB_stat st;

    return mdb_stat(k->txn, k->dbi, &st) == 0 ? st.ms_entries : 0;
}

bool
kv_get(struct kv *k, struct str key, struct str *value)
{
    MDB_val v, name = val(key);

    if (key.len == 0 || key.len > KV_KEY_MAX ||
        mdb_get(k->txn, k->dbi, &name, &v) != 0)
        return false;
    *value = view(v);
    return true;
}

static bool
step(struct kv *k, MDB_cursor_op op, struct kv_pair *pair)
{
    MDB_val key, value;

    if (mdb_cursor_get(k->cursor, &key, &value, op) != 0)
        return false;
    *pair = (struct kv_pair){view(key), view(value)};
    return true;
}

bool
kv_first(struct kv *k, struct kv_pair *pair)
{
    return step(k, MDB_FIRST, pair);
}

bool
kv_next(struct kv *k, struct kv_pair *pair)
{
    return step(k, MDB_NEXT, pair);
}

/* Put all pairs into the empty file; 0, errno, or LMDB's own number. */
static int
fill(const char *path, const struct kv_pair *pairs, size_t count, size_t size)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    int err = mdb_env_create(&env);

    if (err)
        return err;
    err = mdb_env_set_mapsize(env, size);
    if (err == 0)
        err = mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC,
                           0600);
    if (err == 0)
        err = mdb_txn_begin(env, NULL, 0, &txn);
    if (err == 0) {
        err = mdb_dbi_open(txn, NULL, 0, &dbi);
        for (size_t i = 0; err == 0 && i < count; i++) {
            MDB_val key = val(pairs[i].key), value = val(pairs[i].value);

            err = mdb_put(txn, dbi, &key, &value, MDB_APPEND);
        }
        if (err)
            mdb_txn_abort(txn);
        else
            err = mdb_txn_commit(txn);
    }
    mdb_env_close(env);
    return err;
}

/* About what the pairs take; a value over half a page gets pages of its own. */
static size_t
room_for(const struct kv_pair *pairs, size_t count)
{
    size_t size = 1 << 20;

    for (size_t i = 0; i < count; i++) {
        size_t node = pairs[i].key.len + pairs[i].value.len + 16;

        size += node < 2000 ? 2 * node : 2 * (node + 4096);
    }
    return (size + 4095) & ~(size_t)4095;
}

static int
fill_file(int fd, const char *path, const struct kv_pair *pairs, size_t count)
{
    size_t size = room_for(pairs, count);
    int err;

    while ((err = fill(path, pairs, count, size)) == MDB_MAP_FULL) {
        if (!disk_truncate(fd, 0))
            return errno;
        size *= 2;
    }
    return err;
}

static bool
finish(int fd, const char *temp, const char *path, const struct stat *like)
{
    bool root = like && geteuid() == 0;

    if (!disk_give(fd, root ? like->st_uid : (uid_t)-1,
                   root ? like->st_gid : (gid_t)-1,
                   like ? like->st_mode & 0666 : 0644) ||
        !disk_sync(fd) || !disk_publish(AT_FDCWD, temp, path))
        return false;

    /* The folder's part; dirname changes what it is given. */
    char folder[PATH_MAX];

    snprintf(folder, sizeof folder, "%s", path);
    auto_close int dir = open(dirname(folder), O_RDONLY | O_CLOEXEC);

    return dir < 0 || disk_sync_dir(dir);
}

enum rc
kv_build(const char *path, const struct kv_pair *pairs, size_t count,
         const struct stat *like, struct why *why)
{
    char temp[PATH_MAX];
    int len = snprintf(temp, sizeof temp, "%s.tmp%d", path, (int)getpid());

    if (len < 0 || (size_t)len >= sizeof temp)
        return fail(why, "4.3.0", "%s: name is too long", path);

    /* Left by a process of our number that was killed. */
    disk_remove(AT_FDCWD, temp);
    auto_close int fd = disk_create(AT_FDCWD, temp, 0600);

    if (fd < 0)
        return fail(why, "4.3.0", "cannot create %s: %m", temp);

    int err = fill_file(fd, temp, pairs, count);

    if (err == 0 && finish(fd, temp, path, like))
        return OK;

    enum rc rc = fail(why, "4.3.0", "cannot write %s: %s", path,
                      err ? mdb_strerror(err) : strerror(errno));

    disk_remove(AT_FDCWD, temp);
    return rc;
}

int
kv_lock(const char *path)
{
    for (;;) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        struct stat mine, named;
        int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);

        if (fd < 0 || fcntl(fd, F_OFD_SETLKW, &lock) < 0)
            return fd;

        /* Whoever held it has put a new file in its place. */
        if (fstat(fd, &mine) < 0 || stat(path, &named) < 0 ||
            (mine.st_ino == named.st_ino && mine.st_dev == named.st_dev))
            return fd;
        close(fd);
    }
}
