#include "access/shares.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/acl_walk.h"
#include "store/text.h"
#include "sys/disk.h"

#define OWNER_MAX 200
/* A list that grows to ACL_ENTRIES, each time as a new one. */
#define WORK_LIMIT ((size_t)64 << 20)

/* ---- reading */

static bool
names_him(struct arena *a, int dir, const char *file, const struct acl_who *who)
{
    struct text_stamp stamp;
    struct acl acl;
    struct str text;
    struct why why;

    return text_read(a, dir, file, 0, ACL_MAX, &text, &stamp, &why) == OK &&
           acl_parse(a, text, &acl, &why) == OK &&
           acl_rights(&acl, who, 0) != 0;
}

static int
cmp_name(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

enum rc
shares_find(struct arena *a, const char *folder, const struct acl_who *who,
            struct shares *shares, struct why *why)
{
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = dir < 0 ? NULL : fdopendir(dir);
    struct arena *work = arena_new("shares", WORK_LIMIT);
    VEC(struct str) found = {0};

    *shares = (struct shares){0};
    if (d == NULL) {
        arena_free(work);
        return fail(why, "4.3.0", "cannot read imap_shared_list = %s: %m",
                    folder);
    }
    for (struct dirent *e; (e = readdir(d));) {
        struct str owner = str_from(e->d_name);

        if (e->d_name[0] == '.' || str_eq(owner, who->user))
            continue;
        if (names_him(work, dir, e->d_name, who))
            *vec_add(&found) = arena_str(a, owner);
        arena_reset(work);
    }
    closedir(d);
    arena_free(work);
    shares->owners = arena_alloc(a, (found.len + 1) * sizeof *found.at);
    shares->count = found.len;
    if (found.len > 0) {
        qsort(found.at, found.len, sizeof *found.at, cmp_name);
        memcpy(shares->owners, found.at, found.len * sizeof *found.at);
    }
    vec_free(&found);
    return OK;
}

/* ---- the truth */

struct judged {
    const struct acl_who *who;
    bool any;
};

static bool
judge(void *own, const struct acl *acl)
{
    struct judged *j = own;

    j->any = acl_rights(acl, j->who, 0) != 0;
    return !j->any;
}

bool
shares_any(const char *root, bool fs, const struct acl_who *who)
{
    struct judged j = {.who = who};

    acl_walk(root, fs, judge, &j);
    return j.any;
}

/* ---- writing */

struct collected {
    struct arena *a;
    struct acl all;
    bool full; /* there are more */
};

/* Rights do not matter here, so all who are named get the same one. */
static bool
collect(void *own, const struct acl *acl)
{
    struct collected *c = own;
    struct why why;

    for (size_t i = 0; i < acl->count; i++) {
        struct acl_entry e = {.id = acl->at[i].id, .rights = RIGHT_LOOKUP};

        if (e.id.negative || e.id.kind == ACL_OWNER || acl->at[i].rights == 0 ||
            acl_find(&c->all, &e.id))
            continue;
        e.id.name = arena_str(c->a, e.id.name);
        if (acl_with(c->a, &c->all, &e, &why) != OK) {
            c->full = true;
            return false;
        }
    }
    return true;
}

/* The lines that whoever reads it takes. */
static struct str
list_text(struct collected *c)
{
    struct buf b = buf_in(c->a);
    struct str text;

    acl_put(&b, &c->all);
    text = buf_str(&b);
    if (text.len <= (size_t)ACL_MAX)
        return text;
    c->full = true;
    text = str_sub(text, 0, (size_t)ACL_MAX);
    return str_sub(text, 0, (size_t)(str_rfind(text, '\n') + 1));
}

static bool
write_file(struct arena *a, int dir, const char *name, struct str text)
{
    const char *tmp = arena_fmt(a, ".new.%s.%d", name, (int)getpid());
    auto_close int fd = disk_create(dir, tmp, 0644);

    if (fd >= 0 && fchmod(fd, 0644) == 0 && disk_write(fd, text) &&
        disk_sync(fd) && disk_publish(dir, tmp, name))
        return true;
    int error = errno;

    (void)!disk_remove(dir, tmp);
    errno = error;
    return false;
}

static enum rc
publish(struct arena *a, int dir, const char *name, struct str text,
        struct why *why)
{
    struct text_stamp stamp;
    struct str old;

    /* What cannot be read is replaced. */
    if (text_read(a, dir, name, 0, ACL_MAX, &old, &stamp, why) == OK &&
        str_eq(old, text))
        return OK;
    if (text.len > 0 ? write_file(a, dir, name, text) : disk_remove(dir, name))
        return OK;
    return fail(why, "4.3.0",
                "cannot write %s in imap_shared_list: %m; the folder must be "
                "writable for all users (chmod 1777), or for the one account "
                "of virtual users",
                name);
}

enum rc
shares_publish(const char *folder, struct str owner, const char *root, bool fs,
               struct why *why)
{
    auto_close int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct arena *a = arena_new("shares", WORK_LIMIT);
    struct collected c = {.a = a};
    enum rc rc;

    if (dir < 0) {
        rc =
            fail(why, "4.3.0", "cannot read imap_shared_list = %s: %m", folder);
    } else if (owner.len == 0 || owner.len > OWNER_MAX || owner.p[0] == '.' ||
               str_find(owner, '/') >= 0) {
        rc = fail(why, "5.3.5",
                  "user %.*s can share nothing: his name is none "
                  "of a file",
                  STR(owner));
    } else {
        acl_walk(root, fs, collect, &c);
        rc = publish(a, dir, arena_cstr(a, owner), list_text(&c), why);
        if (rc == OK && c.full)
            rc = fail(why, "5.3.4",
                      "%.*s shares with more users than imap_shared_list can "
                      "hold: not all will see it",
                      STR(owner));
    }
    arena_free(a);
    return rc;
}
