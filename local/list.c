/* Destinations in files: .forward and :include:. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/log.h"
#include "scope.h"
#include "sys/disk.h"

#define FORWARD_MAX ((off_t)1 << 20)
#define INCLUDE_MAX ((off_t)16 << 20)

static int
open_to_read(const char *path, int more)
{
    return open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | more);
}

static enum rc
read_file(struct job *j, int fd, const char *path, const struct stat *st,
          off_t limit, struct str *text, struct why *why)
{
    if (st->st_size > limit)
        return fail(why, "5.3.5", "%s has more than %lld bytes", path,
                    (long long)limit);
    char *data = arena_alloc(j->arena, (size_t)st->st_size + 1);
    ssize_t n = disk_read(fd, data, (size_t)st->st_size, 0);

    if (n < 0)
        return fail(why, "4.3.0", "error reading forwarding file: %m");
    *text = (struct str){data, (size_t)n};
    return OK;
}

/* Is that user's .forward file being followed already? Then he means his own
 * mailbox. */
static bool
is_inside_forward(const struct scope *s, const struct account *user)
{
    for (; s; s = s->up)
        if (s->from == FROM_FORWARD && s->rights == user)
            return true;
    return false;
}

/* A file that somebody else could have written is not obeyed. */
static bool
is_trusted(const char *path, const struct stat *st, const struct account *user)
{
    if (!S_ISREG(st->st_mode))
        log_warn("file %s is not a regular file", path);
    else if (st->st_uid != 0 && st->st_uid != user->user.uid)
        log_warn("file %s has bad owner uid %ld", path, (long)st->st_uid);
    else if (st->st_mode & S_IWOTH)
        log_warn("file %s is world writable", path);
    else
        return true;
    return false;
}

/*
 * Open one of the files of forward_path, as the user. OK with *text NULL where
 * there is none or it is not trusted; *found tells if there is a file, as the
 * first one that is there counts.
 */
static enum rc
read_forward(struct job *j, const struct account *user, const char *path,
             bool *found, struct str *text, struct why *why)
{
    auto_close int fd = open_to_read(path, O_NOFOLLOW);
    struct stat st;

    *found = fd >= 0 || (errno != ENOENT && errno != ENOTDIR);
    if (fd < 0 && errno == ELOOP)
        log_warn("file %s is not a regular file", path);
    else if (fd < 0 && errno == EACCES)
        log_warn("cannot open file %s: %m", path);
    else if (fd < 0 && *found)
        return fail(why, "4.3.0", "cannot open file %s: %m", path);
    else if (fd >= 0 && fstat(fd, &st) == 0 && is_trusted(path, &st, user))
        return read_file(j, fd, path, &st, FORWARD_MAX, text, why);
    return OK;
}

/* Try the files of forward_path in order. */
static enum rc
find_forward(struct job *j, const struct account *user, const struct who *w,
             bool *used_extension, struct str *text, struct why *why)
{
    struct who_names names = {
        .who = w,
        .home = user->home,
        .shell = user->shell,
        .filter = j->conf->forward_expansion_filter,
    };
    struct str rest = str_from(j->conf->forward_path), word, path;
    enum rc rc = OK;
    bool found = false;

    *text = (struct str){0};
    while (!found && rc == OK && str_word(&rest, ", \t\r\n", &word)) {
        struct why bad;

        if (who_expand(j->arena, arena_cstr(j->arena, word), &names, &path,
                       &bad) != OK) {
            log_warn("forward_path: %s", bad.text);
            continue;
        }
        rc = read_forward(j, user, arena_cstr(j->arena, path), &found, text,
                          why);
        *used_extension = names.used_extension && w->extension.len > 0;
    }
    return rc;
}

static enum rc
check_home(struct job *j, const struct account *user, struct why *why)
{
    struct stat st;

    if (!j->conf->require_home_directory)
        return OK;
    if (stat(user->home, &st) == 0 && S_ISDIR(st.st_mode))
        return OK;
    return fail(why, "4.3.0", "home directory %s of user %.*s is not there",
                user->home, STR(user->name));
}

bool
forward_expand(struct expansion *x, const struct scope *s, const struct who *w)
{
    struct job *j = x->job;
    const struct account *user;
    struct scope in = *s;
    struct str text = {0};
    struct why why;
    bool used_extension = false;

    enum rc rc = job_find_user(j, w->user, &user, &why);

    if (rc == OK && (user == NULL || is_inside_forward(s, user)))
        return false;
    if (rc == OK)
        rc = job_become(j, &user->user, &why);
    if (rc == OK)
        rc = check_home(j, user, &why);
    if (rc == OK)
        rc = find_forward(j, user, w, &used_extension, &text, &why);
    if (rc != OK) {
        scope_fail(x, s, &why);
        return true;
    }
    if (text.p == NULL)
        return false;
    in.up = s;
    in.depth = s->depth + 1;
    in.from = FROM_FORWARD;
    in.name = w->local;
    in.who = *w;
    in.owner = w->user;
    in.rights = user;
    in.split = false;
    in.unmatched = used_extension || !(j->set->keep_extension & FROM_FORWARD)
                       ? S("")
                       : w->extension;
    if (!j->conf->frozen_delivered_to)
        in.delivered = w->addr;
    return scope_follow_lines(x, &in, text);
}

/* Whose rights the files and commands in it have, where root's table names
 * it: those of its owner. A user who includes it keeps his own. */
static enum rc
include_rights(const char *path, const struct stat *st,
               const struct account **rights, struct why *why)
{
    if ((*rights && (*rights)->user.uid != 0) || st->st_uid == 0)
        return OK;
    if (account_find_uid(st->st_uid, rights, why) != OK)
        return TEMP;
    if (*rights)
        return OK;
    log_warn("cannot find username for uid %ld", (long)st->st_uid);
    return fail(why, "4.3.5", "%s: cannot find :include: file owner username",
                path);
}

static enum rc
check_include(const char *path, const struct stat *st, struct why *why)
{
    if (!S_ISREG(st->st_mode))
        return fail(why, "5.3.5", ":include: file %s is not a regular file",
                    path);
    if (st->st_mode & S_IWOTH)
        return fail(why, "5.3.5", ":include: file %s is world writable", path);
    return OK;
}

/* What a user names is looked at and opened with his rights, what root names
 * with its owner's. */
static enum rc
read_include(struct job *j, const char *path, const struct account **rights,
             struct str *text, struct why *why)
{
    struct stat st;
    enum rc rc = OK;

    job_return(j);
    if (*rights)
        rc = job_become(j, &(*rights)->user, why);
    if (rc != OK)
        return rc;
    if (stat(path, &st) < 0)
        return fail(why, "4.3.5", "unable to lookup :include: file %s: %m",
                    path);
    rc = check_include(path, &st, why);
    if (rc == OK)
        rc = include_rights(path, &st, rights, why);
    if (rc == OK && *rights)
        rc = job_become(j, &(*rights)->user, why);
    if (rc != OK)
        return rc;
    auto_close int fd = open_to_read(path, 0);

    if (fd < 0 || fstat(fd, &st) < 0)
        return fail(why, "4.3.5", "cannot open include file %s: %m", path);
    rc = check_include(path, &st, why);
    return rc == OK ? read_file(j, fd, path, &st, INCLUDE_MAX, text, why) : rc;
}

void
include_expand(struct expansion *x, const struct scope *s, struct str path)
{
    struct job *j = x->job;
    const char *name = arena_cstr(j->arena, path);
    const char *key =
        arena_fmt(j->arena, "%u %s", s->rights ? s->rights->user.uid : 0, name);
    struct scope in = *s;
    struct str text = {0};
    struct why why;
    enum rc rc = OK;
    void **seen = hash_put(x->included, str_from(key));

    if (*seen)
        return;
    *seen = x;
    if (s->depth >= SCOPE_DEPTH_MAX)
        rc = fail(&why, "5.4.6", ":include: files in each other");
    else if (*name != '/')
        rc = fail(&why, "5.3.5", ":include:%s uses a relative path", name);
    if (rc == OK)
        rc = read_include(j, name, &in.rights, &text, &why);
    if (rc != OK) {
        scope_fail(x, s, &why);
        return;
    }
    in.up = s;
    in.depth = s->depth + 1;
    in.from = FROM_INCLUDE;
    in.name = s->who.local;
    if (in.owner.p == NULL)
        in.owner = s->who.addr;
    if (!(j->set->keep_extension & FROM_INCLUDE))
        in.unmatched = S("");
    scope_follow_lines(x, &in, text);
}
