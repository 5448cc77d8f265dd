/*
 * lmdb, and hash, btree, dbm and sdbm: NAME.lmdb, made by postmap of NAME.
 * Keys and values end with a NUL, as Postfix writes them; files without are
 * read too.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "map/type.h"
#include "sys/kv.h"

/* postmap and newaliases make the same file; say the one people know. */
static const char *
maker(const char *name)
{
    return str_ends(str_from(name), S("aliases")) ? "postalias" : "postmap";
}

static bool
exists(const char *name, const char *suffix)
{
    char path[4096];

    snprintf(path, sizeof path, "%s%s", name, suffix);
    return access(path, F_OK) == 0;
}

/* What is wrong, and what mends it. */
static enum rc
advise(const char *type, const char *name, struct why *why)
{
    struct why found = *why;
    int err = errno;

    if (err == EACCES)
        return fail(why, "4.3.0", "%s; this process runs as user id %d",
                    found.text, (int)geteuid());
    if (err != ENOENT)
        return fail(why, "4.3.0", "%s; run: %s %s:%s", found.text, maker(name),
                    type, name);
    if (!exists(name, ""))
        return fail(why, "4.3.0",
                    "open %s.lmdb: %s, and there is no %s; write "
                    "that and run: %s %s:%s",
                    name, strerror(err), name, maker(name), type, name);
    if (exists(name, ".db"))
        return fail(why, "4.3.0",
                    "%s.db is a Berkeley DB file, which Posta does not read; "
                    "run: %s %s:%s",
                    name, maker(name), type, name);
    return fail(why, "4.3.0", "open %s.lmdb: %s; run: %s %s:%s", name,
                strerror(err), maker(name), type, name);
}

static void
warn_if_old(const char *type, const char *name, const struct kv *k)
{
    struct stat source, table;

    kv_stat(k, &table);
    if (stat(name, &source) == 0 && source.st_mtime > table.st_mtime)
        log_warn("%s.lmdb is older than source file %s; run: %s %s:%s", name,
                 name, maker(name), type, name);
}

static enum rc
lmdb_open(const char *type, const char *name, struct map_table *t,
          struct why *why)
{
    char path[4096];
    struct kv *k;

    snprintf(path, sizeof path, "%s.lmdb", name);
    if (kv_open(path, &k, why) != OK) {
        int err = errno;
        enum rc rc = advise(type, name, why);

        errno = err;
        return rc;
    }
    warn_if_old(type, name, k);
    t->own = k;
    return OK;
}

static enum rc
lmdb_get(void *own, struct str key, struct arena *a, struct str *value,
         struct why *why)
{
    char with_nul[KV_KEY_MAX];
    struct str found;

    (void)why;
    if (key.len >= sizeof with_nul)
        return OK;
    memcpy(with_nul, key.p, key.len);
    with_nul[key.len] = '\0';
    if (!kv_get(own, (struct str){with_nul, key.len + 1}, &found) &&
        !kv_get(own, key, &found))
        return OK;
    if (found.len > 0 && found.p[found.len - 1] == '\0')
        found.len--;
    *value = arena_str(a, found);
    return OK;
}

static void
lmdb_close(void *own)
{
    kv_close(own);
}

const struct map_type type_lmdb = {
    .suffix = ".lmdb",
    .fold = true,
    .open = lmdb_open,
    .get = lmdb_get,
    .close = lmdb_close,
};
