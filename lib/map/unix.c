/*
 * unix:passwd.byname and unix:group.byname: the system's own users and groups,
 * as lines of /etc/passwd and /etc/group.
 *
 * A look-up there is some ten system calls, and every recipient needs several.
 * So answers, also "no such user", are kept for a second, at most a thousand.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/hash.h"
#include "map/type.h"

#define KEEP_MS   1000
#define KEEP_MOST 1000
#define ENTRY_MAX ((size_t)1 << 20)
#define ARENA_MAX (8 * ENTRY_MAX)

struct cache {
    /* 0 with *line (p NULL: absent) in the cache's arena, or errno. */
    int (*ask)(struct cache *c, const char *name, struct str *line);
    struct arena *arena;
    struct hash *lines; /* of struct str */
    int64_t born;
    char scratch[16384]; /* what a usual entry needs */
};

static int64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What getpwnam_r says where there is no such user, by the manual page. */
static int
trouble(int err)
{
    bool absent = err == ENOENT || err == ESRCH || err == EBADF || err == EPERM;

    return absent ? 0 : err;
}

/* Room for an entry: the scratch, then ever more; groups can be huge. */
static char *
room(struct cache *c, size_t size)
{
    return size <= sizeof c->scratch ? c->scratch : arena_alloc(c->arena, size);
}

static int
ask_passwd(struct cache *c, const char *name, struct str *line)
{
    struct passwd pw, *found = NULL;
    size_t size = sizeof c->scratch;
    int err = ERANGE;

    for (; err == ERANGE && size <= ENTRY_MAX; size *= 4)
        err = getpwnam_r(name, &pw, room(c, size), size, &found);
    if (found)
        *line = str_from(arena_fmt(c->arena, "%s:%s:%u:%u:%s:%s:%s", pw.pw_name,
                                   pw.pw_passwd, pw.pw_uid, pw.pw_gid,
                                   pw.pw_gecos, pw.pw_dir, pw.pw_shell));
    return trouble(err);
}

static int
ask_group(struct cache *c, const char *name, struct str *line)
{
    struct group gr, *found = NULL;
    struct buf b = buf_in(c->arena);
    size_t size = sizeof c->scratch;
    int err = ERANGE;

    for (; err == ERANGE && size <= ENTRY_MAX; size *= 4)
        err = getgrnam_r(name, &gr, room(c, size), size, &found);
    if (found == NULL)
        return trouble(err);
    buf_fmt(&b, "%s:%s:%u:", gr.gr_name, gr.gr_passwd, gr.gr_gid);
    for (char **user = gr.gr_mem; *user; user++)
        buf_fmt(&b, "%s%s", user == gr.gr_mem ? "" : ",", *user);
    *line = buf_str(&b);
    return 0;
}

static void
unix_close(void *own)
{
    struct cache *c = own;

    hash_free(c->lines);
    arena_free(c->arena);
    free(c);
}

static enum rc
unix_open(const char *type, const char *name, struct map_table *t,
          struct why *why)
{
    bool passwd = strcmp(name, "passwd.byname") == 0;

    if (!passwd && strcmp(name, "group.byname") != 0)
        return fail(why, "5.3.5",
                    "unknown table: %s:%s; there are passwd.byname and "
                    "group.byname",
                    type, name);

    struct cache *c = calloc(1, sizeof *c);

    must(c);
    c->ask = passwd ? ask_passwd : ask_group;
    c->arena = arena_new("users", ARENA_MAX);
    c->lines = hash_new();
    t->own = c;

    /* For a name that nobody has the C library loads all that could answer;
     * now, while this process may still do whatever that does. */
    if (passwd)
        (void)getpwnam("posta-nobody-has-this-name");
    else
        (void)getgrnam("posta-nobody-has-this-name");
    return OK;
}

static void
expire(struct cache *c)
{
    int64_t now = now_ms();

    if (now - c->born < KEEP_MS && hash_count(c->lines) < KEEP_MOST &&
        arena_room(c->arena) > 5 * ENTRY_MAX)
        return;
    hash_free(c->lines);
    c->lines = hash_new();
    arena_reset(c->arena);
    c->born = now;
}

static enum rc
unix_get(void *own, struct str key, struct arena *a, struct str *value,
         struct why *why)
{
    struct cache *c = own;

    expire(c);
    struct str *kept = hash_get(c->lines, key);

    if (kept == NULL) {
        kept = arena_make(c->arena, struct str);
        int err = c->ask(c, arena_cstr(a, key), kept);

        if (err)
            return fail(why, "4.3.0", "%s", strerror(err));
        *hash_put(c->lines, key) = kept;
    }
    if (kept->p)
        *value = arena_str(a, *kept);
    return OK;
}

const struct map_type type_unix = {
    .fold = true, .open = unix_open, .get = unix_get, .close = unix_close};
