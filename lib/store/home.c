#include "store/home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "mail/mutf7.h"
#include "store/own.h"
#include "store/tell.h"
#include "sys/disk.h"

#define HOME_LIMIT ((size_t)64 << 20)
#define LOCK_FILE  "lock." /* and the PID */

/* The Maildir's own folders, also its parents. */
static bool
make_root(struct arena *a, const char *root)
{
    static const char *const folders[] = {"", "/tmp", "/new", "/cur"};

    for (const char *p = root + 1; *p; p++)
        if (*p == '/' &&
            mkdir(arena_cstr(a, (struct str){root, (size_t)(p - root)}), 0700) <
                0 &&
            errno != EEXIST)
            return false;
    for (size_t i = 0; i < COUNT(folders); i++)
        if (mkdir(arena_fmt(a, "%s%s", root, folders[i]), 0700) < 0 &&
            errno != EEXIST)
            return false;
    return true;
}

/* An empty table becomes ours; false where it is another program's. */
static enum rc
claim_index(struct home *h, bool *ours, struct why *why)
{
    enum rc rc;

    kv_env_read(h->kv);
    *ours = index_is_ours(h->kv);
    rc = kv_env_end(h->kv, why);
    if (rc != OK || *ours)
        return rc;
    rc = kv_env_write(h->kv, why);
    if (rc != OK)
        return rc;
    *ours = index_begin(h->kv);
    return kv_env_commit(h->kv, why);
}

static enum rc
open_index(struct home *h, struct why *why)
{
    bool fresh = false, ours = false;
    enum rc rc = OK;

    if (h->bare)
        return fail(why, "4.3.0", "%s can only be read", h->root);
    for (int i = 0; rc == OK && !ours && i < 2; i++) {
        if (h->kv) { /* of another version */
            kv_env_spoil(h->kv);
            kv_env_close(h->kv);
            h->kv = NULL;
        }
        rc = kv_env_open(h->index, &h->kv, &fresh, why);
        if (rc == OK)
            rc = claim_index(h, &ours, why);
    }
    if (rc == OK && fresh)
        h->generation++;
    if (rc == OK && !ours)
        rc = fail(why, "4.3.0", "%s is of another version", h->index);
    return rc;
}

/* Lock files of processes that were killed. */
static void
remove_orphans(const struct home *h)
{
    DIR *d = opendir(h->index);

    if (d == NULL)
        return;
    for (struct dirent *e; (e = readdir(d));) {
        struct str number = str_from(e->d_name);
        uint64_t pid;

        if (str_skip(&number, S(LOCK_FILE)) && str_num(number, &pid) &&
            pid > 0 && pid <= INT32_MAX && kill((pid_t)pid, 0) < 0 &&
            errno == ESRCH)
            (void)!disk_remove(dirfd(d), e->d_name);
    }
    closedir(d);
}

enum rc
home_open(const struct home_settings *s, struct home **out, struct why *why)
{
    struct arena *a = arena_new("home", HOME_LIMIT);
    struct home *h = arena_make(a, struct home);
    enum rc rc;

    *out = NULL;
    h->arena = a;
    h->root = arena_cstr(a, str_from(s->root));
    h->index = s->index ? arena_cstr(a, str_from(s->index))
                        : arena_fmt(a, "%s/posta-index", s->root);
    h->lock_file.path =
        arena_fmt(a, "%s/" LOCK_FILE "%d", h->index, (int)getpid());
    h->fs = s->fs;
    h->bare = s->bare;
    h->separator = s->separator ? s->separator : '/';
    h->listeners = -1;
    h->dir = open(h->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (h->dir < 0 && errno == ENOENT && !h->bare && make_root(a, h->root))
        h->dir = open(h->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rc = h->dir < 0 ? store_fail(errno, why, "cannot open %s", h->root)
         : h->bare  ? OK
                    : open_index(h, why);
    if (rc != OK) {
        home_close(h);
        return rc;
    }
    remove_orphans(h);
    *out = h;
    return OK;
}

void
home_close(struct home *h)
{
    if (h == NULL)
        return;
    must(h->boxes.len == 0);
    vec_free(&h->boxes);
    dotlock_file_remove(&h->lock_file);
    kv_env_close(h->kv);
    home_listen_end(h);
    if (h->dir >= 0)
        close(h->dir);
    arena_free(h->arena);
}

const char *
home_index(const struct home *h)
{
    return h->index;
}

const char *
home_root(const struct home *h, bool *fs)
{
    *fs = h->fs;
    return h->root;
}

bool
home_in_use(const struct home *h)
{
    return h->boxes.len > 0;
}

enum rc
home_check(struct home *h, struct why *why)
{
    if (h->kv && !kv_env_gone(h->kv))
        return OK;
    if (kv_env_salvage(h->kv))
        kv_env_salvaged(h->kv, flags_rescue(h));
    kv_env_close(h->kv);
    h->kv = NULL;
    h->generation++;
    return open_index(h, why);
}

enum rc
home_sync(struct home *h, struct why *why)
{
    enum rc rc = home_check(h, why);

    return rc == OK ? kv_env_sync(h->kv, why) : rc;
}

static bool
is_inbox(struct str name)
{
    return str_ieq(name, S("INBOX"));
}

void
home_rest(const struct home *h)
{
    if (h->kv)
        kv_env_rest(h->kv);
}

/* Names that mean something else in a Maildir. */
static bool
is_reserved(struct str part)
{
    static const char *const names[] = {
        "cur", "new", "tmp", "posta-index", "maildirfolder", "subscriptions"};

    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(part, str_from(names[i])))
            return true;
    return str_starts(part, S("dovecot")) || str_starts(part, S("posta-"));
}

static bool
part_ok(const struct home *h, struct str part)
{
    if (part.len == 0 || str_find(part, '/') >= 0)
        return false;
    if (h->fs)
        return part.p[0] != '.' && part.len <= 250 && !is_reserved(part);
    return str_find(part, '.') < 0;
}

/* One part behind the others, as on disk. */
static bool
add_part(const struct home *h, struct buf *b, struct str part, bool first)
{
    if (!part_ok(h, part))
        return false;
    if (!h->fs)
        buf_addc(b, '.');
    else if (!first)
        buf_addc(b, '/');
    return mutf7_encode(b, first && is_inbox(part) ? S("INBOX") : part);
}

enum rc
home_path(const struct home *h, struct arena *a, struct str name,
          const char **path, struct why *why)
{
    struct buf b = buf_in(a);
    struct str rest = name, part;
    bool more = true;

    *path = ".";
    if (is_inbox(name))
        return OK;
    for (bool first = true; more; first = false) {
        if (name.len > PATH_LEN)
            return fail(why, "5.1.1", "the name of the folder is too long");
        more = str_cut(&rest, h->separator, &part);
        if (!add_part(h, &b, part, first))
            return fail(why, "5.1.1", "a folder cannot have that name");
    }
    if (b.len > (h->fs ? PATH_LEN : 250))
        return fail(why, "5.1.1", "the name of the folder is too long");
    *path = buf_str(&b).p;
    return OK;
}

struct str
home_name(const struct home *h, struct arena *a, struct str path)
{
    struct buf b = buf_in(a);
    struct str rest = path, part;
    const char *again;
    struct why why;
    bool more = true;

    if (str_eq(path, S(".")))
        return S("INBOX");
    if (!h->fs && !str_skip(&rest, S(".")))
        return (struct str){0};
    for (bool first = true; more; first = false) {
        more = str_cut(&rest, h->fs ? '/' : '.', &part);
        if (!first)
            buf_addc(&b, h->separator);
        if (!mutf7_decode(&b, part))
            return (struct str){0};
    }
    if (home_path(h, a, buf_str(&b), &again, &why) != OK ||
        !str_eq(str_from(again), path))
        return (struct str){0};
    return buf_str(&b);
}
