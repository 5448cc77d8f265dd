#include "store/acl_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "store/dotlock.h"
#include "store/own.h"

#define LOCK       ACL_FILE ".lock"
#define WORK_LIMIT ((size_t)4 << 20)

static enum rc
read_file(struct arena *a, int dir, const char *name, struct acl *acl,
          struct text_stamp *stamp, struct why *why)
{
    struct str text;
    enum rc rc = text_read(a, dir, name, 0, ACL_MAX, &text, stamp, why);

    *acl = (struct acl){0};
    return rc == OK ? acl_parse(a, text, acl, why) : rc;
}

enum rc
acl_load(struct home *h, struct arena *a, const char *path, struct acl *acl,
         struct text_stamp *stamp, struct why *why)
{
    return read_file(a, h->dir, arena_fmt(a, "%s/" ACL_FILE, path), acl, stamp,
                     why);
}

bool
acl_is_new(struct home *h, const char *path, const struct text_stamp *stamp)
{
    char name[PATH_LEN + 16];
    struct text_stamp now;

    snprintf(name, sizeof name, "%s/" ACL_FILE, path);
    return !text_stat(h->dir, name, &now) || !text_stamp_eq(&now, stamp);
}

static enum rc
apply(struct arena *a, struct acl *acl, const struct acl_change *c,
      struct why *why)
{
    struct acl_entry *there = acl_find(acl, &c->id);
    struct acl_entry e = {.id = c->id, .rights = c->before};

    if (there)
        e = *there;
    switch (c->how) {
    case ACL_SET:
        e.rights = c->rights;
        break;
    case ACL_ADD:
        e.rights |= c->rights;
        break;
    case ACL_REMOVE:
        if (there == NULL && c->before == 0)
            return OK;
        e.rights &= ~c->rights;
        break;
    case ACL_DROP:
        acl_without(acl, &c->id);
        return OK;
    }
    return acl_with(a, acl, &e, why);
}

static enum rc
write_file(struct arena *a, int dir, const struct acl *acl, struct why *why)
{
    struct buf b = buf_in(a);
    struct text_stamp stamp;

    acl_put(&b, acl);
    if (b.len > (size_t)ACL_MAX)
        return fail(why, "5.3.4", "the mailbox has too many entries");
    return text_write(dir, ACL_FILE, buf_str(&b), &stamp, why);
}

static enum rc
change_in(struct arena *a, int dir, const struct acl_change *c, struct why *why)
{
    struct text_stamp stamp;
    struct acl acl;
    enum rc rc = read_file(a, dir, ACL_FILE, &acl, &stamp, why);

    if (rc == OK)
        rc = apply(a, &acl, c, why);
    if (rc != OK || (acl.count == 0 && stamp.ino == 0))
        return rc;
    return write_file(a, dir, &acl, why);
}

static enum rc
open_folder(struct home *h, const char *path, int *dir, struct why *why)
{
    *dir = openat(h->dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*dir < 0 && errno == ENOENT)
        return fail(why, "5.2.0", "there is no such folder");
    return *dir < 0 ? store_fail(errno, why, "cannot open %s", path) : OK;
}

enum rc
acl_change(struct home *h, const char *path, const struct acl_change *c,
           struct why *why)
{
    auto_close int dir = -1;
    struct arena *a = arena_new("acl", WORK_LIMIT);
    enum rc rc = open_folder(h, path, &dir, why);

    if (rc == OK)
        rc = dotlock_take(dir, LOCK, NULL, LOCK_WAIT, why);
    if (rc == OK) {
        rc = change_in(a, dir, c, why);
        dotlock_drop(dir, LOCK);
        home_tell(h, S(""));
    }
    arena_free(a);
    return rc;
}

enum rc
acl_inherit(struct home *h, const char *from, const char *path, struct why *why)
{
    auto_close int dir = -1;
    struct arena *a = arena_new("acl", WORK_LIMIT);
    struct text_stamp stamp;
    struct acl acl;
    enum rc rc = acl_load(h, a, from, &acl, &stamp, why);

    if (rc == OK && acl.count > 0)
        rc = open_folder(h, path, &dir, why);
    if (rc == OK && acl.count > 0)
        rc = write_file(a, dir, &acl, why);
    home_tell(h, S(""));
    arena_free(a);
    return rc;
}
