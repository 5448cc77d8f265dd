#include "account.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>

#include "base/hash.h"
#include "sys/io.h"

#define KEEP_MS      5000
#define KEEP_MAX     2000 /* accounts */
#define NAME_MAX_LEN 256

static struct {
    struct arena *arena;
    struct hash *known; /* absent ones have the value `nobody` */
    int64_t since;
} cache;

static struct account nobody;

static void
forget(void)
{
    if (cache.arena == NULL)
        cache.arena = arena_new("accounts", (size_t)16 << 20);
    hash_free(cache.known);
    cache.known = hash_new();
    arena_reset(cache.arena);
    cache.since = io_now();
}

void
accounts_refresh(void)
{
    if (cache.known == NULL || hash_count(cache.known) >= KEEP_MAX ||
        io_now() - cache.since > KEEP_MS)
        forget();
}

static struct account *
remember(struct str key, const struct passwd *pw)
{
    struct account *account = &nobody;

    if (pw) {
        account = arena_make(cache.arena, struct account);
        account->name = arena_str(cache.arena, str_from(pw->pw_name));
        account->user.uid = pw->pw_uid;
        account->user.gid = pw->pw_gid;
        account->home = arena_cstr(cache.arena, str_from(pw->pw_dir));
        account->shell = arena_cstr(cache.arena, str_from(pw->pw_shell));
    }
    *hash_put(cache.known, key) = account;
    return account;
}

/* What getpwnam sets errno to where there just is no such user. */
static bool
is_absent(int error)
{
    return error == 0 || error == ENOENT || error == ESRCH || error == EBADF ||
           error == EPERM;
}

static enum rc
answer(struct str key, struct passwd *pw, const struct account **account,
       struct why *why)
{
    if (pw == NULL && !is_absent(errno))
        return fail(why, "4.3.0", "user database lookup error for %.*s: %m",
                    STR(key));
    struct account *found = remember(key, pw);

    *account = found == &nobody ? NULL : found;
    return OK;
}

static bool
is_known(struct str key, const struct account **account)
{
    struct account *found = hash_get(cache.known, key);

    *account = found == &nobody ? NULL : found;
    return found != NULL;
}

enum rc
account_find(struct str name, const struct account **account, struct why *why)
{
    char text[NAME_MAX_LEN];

    *account = NULL;
    if (name.len == 0 || name.len >= sizeof text || str_find(name, '\0') >= 0 ||
        str_find(name, '/') >= 0 || is_known(name, account))
        return OK;
    memcpy(text, name.p, name.len);
    text[name.len] = '\0';
    errno = 0;
    return answer(name, getpwnam(text), account, why);
}

enum rc
account_find_uid(uid_t uid, const struct account **account, struct why *why)
{
    char key[24]; /* no name of a user, with its "/" */
    int len = snprintf(key, sizeof key, "/%u", uid);
    struct str text = {key, (size_t)len};

    if (is_known(text, account))
        return OK;
    errno = 0;
    return answer(text, getpwuid(uid), account, why);
}

bool
account_is_known(struct str name)
{
    return hash_get(cache.known, name) != NULL;
}
