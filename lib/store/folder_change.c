#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/copy.h"
#include "store/folder_files.h"
#include "store/folders.h"
#include "store/maildir.h"
#include "store/metadata.h"
#include "store/quota.h"
#include "sys/disk.h"

/* Deleted folders wait under such a name while their files are removed. */
#define TRASH "..posta-deleted"

static enum rc
no_folder(struct why *why)
{
    return fail(why, "5.2.0", "there is no folder of that name");
}

/* Remove a folder with all in it. What cannot be removed stays. */
static void
remove_tree(int dir, const char *name, int depth)
{
    DIR *d = disk_list(dir, name);

    if (d == NULL) {
        (void)!unlinkat(dir, name, 0);
        return;
    }
    for (struct dirent *e; (e = readdir(d));) {
        if (str_eq(str_from(e->d_name), S(".")) ||
            str_eq(str_from(e->d_name), S("..")))
            continue;
        if (unlinkat(dirfd(d), e->d_name, 0) < 0 && errno == EISDIR &&
            depth > 0)
            remove_tree(dirfd(d), e->d_name, depth - 1);
    }
    closedir(d);
    (void)!unlinkat(dir, name, AT_REMOVEDIR);
}

/* What deletions that were killed left behind. */
static void
empty_trash(struct home *h)
{
    DIR *d = disk_list(h->dir, ".");

    if (d == NULL)
        return;
    for (struct dirent *e; (e = readdir(d));)
        if (str_starts(str_from(e->d_name), S(TRASH)))
            remove_tree(h->dir, e->d_name, 3);
    closedir(d);
}

/* A folder in the fs layout that others are in loses only what is its own. */
static enum rc
strip(struct home *h, struct arena *a, const char *path, const char *trash,
      struct why *why)
{
    static const char *const parts[] = {"cur", "new", "tmp"};

    if (!disk_make_dir(h->dir, trash))
        return store_fail(errno, why, "cannot delete %s", path);
    for (size_t i = 0; i < COUNT(parts); i++)
        if (!disk_move(h->dir, arena_fmt(a, "%s/%s", path, parts[i]), h->dir,
                       arena_fmt(a, "%s/%s", trash, parts[i])) &&
            errno != ENOENT)
            return store_fail(errno, why, "cannot delete %s", path);
    for (const char *const *name =
             (const char *const[]){"dovecot-uidlist", "dovecot-keywords",
                                   "dovecot-acl", "posta-state", NULL};
         *name; name++)
        (void)!disk_remove(h->dir, arena_fmt(a, "%s/%s", path, *name));
    return OK;
}

static void
close_boxes(struct home *h, struct str path)
{
    for (size_t i = 0; i < h->boxes.len; i++)
        if (str_eq(h->boxes.at[i]->path, path))
            h->boxes.at[i]->gone = true;
}

static enum rc
forget(struct home *h, struct str path, struct why *why)
{
    struct index_folder f;
    struct index_key k;
    enum rc rc = home_check(h, why);

    if (rc == OK)
        rc = kv_env_write(h->kv, why);
    if (rc != OK)
        return rc;
    if (index_folder_get(h->kv, path, &f)) {
        index_folder_clear(h->kv, f.id);
        kv_env_del(h->kv, index_key_path(&k, path));
    }
    return kv_env_commit(h->kv, why);
}

/* What the listing says of a name. */
static enum rc
find(struct home *h, struct arena *a, struct str name, struct folder_list *list,
     const struct folder **found, struct why *why)
{
    enum rc rc = folders_list(h, a, list, why);

    *found = NULL;
    for (size_t i = 0; rc == OK && i < list->len; i++)
        if (str_eq(list->at[i].name, name))
            *found = &list->at[i];
    return rc;
}

static enum rc
take_away(struct home *h, struct arena *a, const struct folder *f,
          struct why *why)
{
    const char *trash = arena_fmt(a, TRASH ".%s", maildir_unique(a));
    enum rc rc = OK;

    if (h->fs && f->bits & FOLDER_CHILDREN)
        rc = strip(h, a, f->path, trash, why);
    else if (!disk_move(h->dir, f->path, h->dir, trash))
        rc = store_fail(errno, why, "cannot delete %s", f->path);
    if (rc == OK && !disk_sync_dir(h->dir))
        rc = store_fail(errno, why, "cannot delete %s", f->path);
    return rc;
}

static enum rc
remove_folder(struct home *h, struct arena *a, struct str name, struct why *why)
{
    const struct folder *f;
    struct folder_list list;
    const char *path;
    enum rc rc = home_path(h, a, name, &path, why);

    if (rc == OK && str_eq(str_from(path), S(".")))
        return fail(why, "5.1.1", "INBOX cannot be deleted");
    if (rc == OK)
        rc = find(h, a, home_name(h, a, str_from(path)), &list, &f, why);
    if (rc != OK)
        return rc;
    if (f == NULL || f->path == NULL)
        return no_folder(why);
    if (!(f->bits & FOLDER_SELECTABLE) && f->bits & FOLDER_CHILDREN)
        return fail(why, "5.1.4", "there are folders below it");
    rc = take_away(h, a, f, why);
    if (rc != OK)
        return rc;
    quota_forget(h->root);
    close_boxes(h, str_from(path));
    empty_trash(h);
    rc = forget(h, str_from(path), why);
    if (rc == OK && f->use.len)
        rc = uses_set(h, a, path, (struct str){0}, why);
    if (rc == OK)
        rc = metadata_move(h, str_from(path), NULL, why);
    home_tell(h, S(""));
    return rc;
}

enum rc
folder_delete(struct home *h, struct str name, struct why *why)
{
    struct arena *a = arena_new("folder", (size_t)256 << 20);
    enum rc rc = remove_folder(h, a, name, why);

    arena_free(a);
    return rc;
}

/* Renaming. */

struct renaming {
    struct home *h;
    struct arena *a;
    struct str from, to; /* paths */
    VEC(const char *) old;
    VEC(const char *) new;
};

static enum rc
collect(struct renaming *r, const struct folder_list *list)
{
    struct str rest;

    for (size_t i = 0; i < list->len; i++) {
        const char *path = list->at[i].path;

        if (path == NULL ||
            !path_is_below(r->h, str_from(path), r->from, &rest))
            continue;
        *vec_add(&r->old) = path;
        *vec_add(&r->new) = arena_fmt(r->a, "%.*s%.*s", STR(r->to), STR(rest));
    }
    return OK;
}

/* All directories, or none. */
static enum rc
move_dirs(struct renaming *r, struct why *why)
{
    int dir = r->h->dir;
    size_t count = r->h->fs ? 1 : r->old.len;

    for (size_t i = 0; i < count; i++) {
        const char *from = r->h->fs ? arena_cstr(r->a, r->from) : r->old.at[i];
        const char *to = r->h->fs ? arena_cstr(r->a, r->to) : r->new.at[i];

        if (renameat2(dir, from, dir, to, RENAME_NOREPLACE) == 0)
            continue;

        enum rc rc =
            errno == EEXIST || errno == ENOTEMPTY
                ? fail(why, "5.1.4", "there is a folder of that name already")
                : store_fail(errno, why, "cannot rename %s", from);

        while (i-- > 0)
            (void)!renameat(dir, r->new.at[i], dir, r->old.at[i]);
        return rc;
    }
    return disk_sync_dir(dir) ? OK : store_fail(errno, why, "cannot rename");
}

/* Sessions that have it open go on with it. */
static void
rename_boxes(struct renaming *r, const char *old, const char *new)
{
    struct home *h = r->h;

    for (size_t i = 0; i < h->boxes.len; i++) {
        struct mailbox *box = h->boxes.at[i];

        if (box->gone || !str_eq(box->path, str_from(old)))
            continue;
        box->path = arena_str(box->arena, str_from(new));
        box->name = home_name(h, box->arena, box->path);
    }
}

static enum rc
rename_records(struct renaming *r, struct why *why)
{
    struct kv_env *kv = r->h->kv;
    struct index_folder f;
    struct index_key k;
    enum rc rc = kv_env_write(kv, why);

    if (rc != OK)
        return rc;
    for (size_t i = 0; i < r->old.len; i++) {
        rename_boxes(r, r->old.at[i], r->new.at[i]);
        if (!index_folder_get(kv, str_from(r->old.at[i]), &f))
            continue;
        kv_env_del(kv, index_key_path(&k, str_from(r->old.at[i])));
        index_folder_put(kv, str_from(r->new.at[i]), &f);
    }
    return kv_env_commit(kv, why);
}

static enum rc
rename_inbox(struct home *h, struct arena *a, struct str to, struct why *why)
{
    const struct uid_range all = {1, UINT32_MAX};
    struct uid_set from_uids, to_uids;
    struct mailbox *inbox, *box;
    enum rc rc = folder_create(h, to, (struct str){0}, why);

    if (rc != OK)
        return rc;
    rc = mailbox_open(h, S("INBOX"), &inbox, why);
    if (rc != OK)
        return rc;
    rc = mailbox_open(h, to, &box, why);
    if (rc == OK) {
        const struct copy_how how = {.move = true, .flags = FLAG_ALL};

        rc = copy_messages(inbox, (struct uid_set){&all, 1}, box, &how, a,
                           &from_uids, &to_uids, why);
        mailbox_close(box);
    }
    mailbox_close(inbox);
    return rc;
}

static void
make_parents(struct renaming *r)
{
    for (size_t i = 1; r->h->fs && i < r->to.len; i++)
        if (r->to.p[i] == '/')
            (void)!disk_make_dir(r->h->dir,
                                 arena_cstr(r->a, str_sub(r->to, 0, i)));
}

static enum rc
rename_paths(struct renaming *r, struct why *why)
{
    struct folder_list list;
    struct str name = home_name(r->h, r->a, r->to), rest;
    const struct folder *there;
    enum rc rc = find(r->h, r->a, name, &list, &there, why);

    if (rc != OK)
        return rc;
    if (there && (there->path || there->bits & FOLDER_CHILDREN))
        return fail(why, "5.1.4", "there is a folder of that name already");
    if (path_is_below(r->h, r->to, r->from, &rest))
        return fail(why, "5.1.1", "a folder cannot go below itself");
    rc = collect(r, &list);
    if (rc == OK && r->old.len == 0)
        rc = no_folder(why);
    if (rc != OK)
        return rc;
    make_parents(r);
    rc = home_check(r->h, why);
    if (rc == OK)
        rc = move_dirs(r, why);
    if (rc == OK)
        rc = rename_records(r, why);
    if (rc == OK)
        rc = uses_rename(r->h, r->a, arena_cstr(r->a, r->from),
                         arena_cstr(r->a, r->to), why);
    if (rc == OK)
        rc = metadata_move(r->h, r->from, arena_cstr(r->a, r->to), why);
    return rc;
}

enum rc
folder_rename(struct home *h, struct str from, struct str to, struct why *why)
{
    struct renaming r = {.h = h, .a = arena_new("folder", (size_t)256 << 20)};
    const char *old, *new;
    enum rc rc = home_path(h, r.a, from, &old, why);

    if (rc == OK)
        rc = home_path(h, r.a, to, &new, why);
    if (rc == OK) {
        r.from = str_from(old);
        r.to = str_from(new);
        if (str_eq(r.to, S(".")))
            rc = fail(why, "5.1.4", "there is an INBOX already");
        else if (str_eq(r.from, S(".")))
            rc = rename_inbox(h, r.a, to, why);
        else
            rc = rename_paths(&r, why);
        home_tell(h, S(""));
    }
    vec_free(&r.old);
    vec_free(&r.new);
    arena_free(r.a);
    return rc;
}
