#include "store/folders.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "mail/mutf7.h"
#include "store/folder_files.h"
#include "store/own.h"
#include "store/uidlist.h"
#include "sys/disk.h"

/* Bounds of a tree in the fs layout. */
#define DEPTH_MAX   32
#define FOLDERS_MAX 100000

#define FOLDER_MARK "maildirfolder" /* in each of Maildir++ */

struct listing {
    struct home *home;
    struct arena *a;
    bool indexed; /* the index can be asked */
    uint64_t dev; /* of the root */
    VEC(struct folder) found;
    struct hash *places; /* name to place, plus 1 */
};

/* The folder of that name, made where it is not listed yet. */
static struct folder *
entry(struct listing *l, struct str name)
{
    void **place = hash_put(l->places, name);

    if (*place == NULL) {
        *vec_add(&l->found) = (struct folder){.name = arena_str(l->a, name)};
        *place = (void *)(uintptr_t)l->found.len;
    }
    return &l->found.at[(uintptr_t)*place - 1];
}

static bool
stat_in(const struct home *h, const char *path, const char *name,
        struct stat *st)
{
    char file[PATH_LEN + 24];

    snprintf(file, sizeof file, "%s/%s", path, name);
    return fstatat(h->dir, file, st, 0) == 0;
}

/* A Maildir, perhaps in parts: those that are missing it gets when it is
 * opened. Mostly it has the first. */
static bool
stat_maildir(const struct home *h, const char *path, struct stat *st)
{
    static const char *const parts[] = {"cur", "new", "tmp"};
    static const char *const marks[] = {FOLDER_MARK, UIDLIST_FILE};

    for (size_t i = 0; i < COUNT(parts); i++)
        if (stat_in(h, path, parts[i], st) && S_ISDIR(st->st_mode))
            return true;
    for (size_t i = 0; !h->fs && i < COUNT(marks); i++)
        if (stat_in(h, path, marks[i], st))
            return true;
    return false;
}

/* NULL where it has no name for clients. */
static struct folder *
add_path(struct listing *l, const char *path)
{
    struct str name = home_name(l->home, l->a, str_from(path));
    struct folder *f;

    if (name.len == 0 || l->found.len >= FOLDERS_MAX)
        return NULL;
    f = entry(l, name);
    f->path = path;
    return f;
}

static void
look_at(const struct listing *l, struct folder *f)
{
    struct stat st;

    if (f == NULL || !stat_maildir(l->home, f->path, &st))
        return;
    f->bits |= FOLDER_SELECTABLE;
    f->dev = st.st_dev;
    f->ino = st.st_ino;
}

/* A folder that the index knows has been a Maildir, can be opened, whatever is
 * left in it, and is not looked at: reading three blocks of each from a disk
 * takes long. */
static void
add_flat(struct listing *l, const struct dirent *e)
{
    struct folder *f = add_path(l, arena_cstr(l->a, str_from(e->d_name)));
    struct index_folder known;

    if (f == NULL)
        return;
    if (e->d_type == DT_DIR && l->indexed &&
        index_folder_get(l->home->kv, str_from(f->path), &known))
        f->bits |= FOLDER_SELECTABLE;
    else
        look_at(l, f);
    f->dev = l->dev;
    f->ino = e->d_ino;
}

static bool
is_flat(const struct dirent *e)
{
    return e->d_name[0] == '.' && e->d_name[1] != '\0' && e->d_name[1] != '.' &&
           (e->d_type == DT_DIR || e->d_type == DT_LNK ||
            e->d_type == DT_UNKNOWN);
}

static void
add_all_flat(struct listing *l, DIR *d)
{
    struct why why;

    l->indexed = home_check(l->home, &why) == OK;
    if (l->indexed)
        kv_env_read(l->home->kv);
    for (struct dirent *e; (e = readdir(d));)
        if (is_flat(e))
            add_flat(l, e);
    if (l->indexed)
        (void)!kv_env_end(l->home->kv, &why);
}

/* Every folder is in the root. */
static bool
list_flat(struct listing *l)
{
    DIR *d = disk_list(l->home->dir, ".");
    struct stat st;

    if (d == NULL)
        return false;
    l->dev = fstat(dirfd(d), &st) < 0 ? 0 : st.st_dev;
    add_all_flat(l, d);
    closedir(d);
    return true;
}

static bool
list_tree(struct listing *l, const char *path, int depth)
{
    DIR *d = disk_list(l->home->dir, path);

    if (d == NULL)
        return false;
    for (struct dirent *e; (e = readdir(d));) {
        const char *below = depth ? arena_fmt(l->a, "%s/%s", path, e->d_name)
                                  : arena_cstr(l->a, str_from(e->d_name));

        bool above = depth == 0 && strcmp(below, "INBOX") == 0;

        if ((e->d_type != DT_DIR && e->d_type != DT_UNKNOWN) ||
            (!above && home_name(l->home, l->a, str_from(below)).len == 0))
            continue;
        /* INBOX is the root; only those below it stand there. */
        if (!above)
            look_at(l, add_path(l, below));
        if (depth < DEPTH_MAX)
            (void)!list_tree(l, below, depth + 1);
    }
    closedir(d);
    return true;
}

/* Each name makes its parents known, and tells them something. */
static void
tell_parents(struct listing *l)
{
    for (size_t i = 0; i < l->found.len; i++) {
        struct str name = l->found.at[i].name;
        unsigned bits = l->found.at[i].bits, tell = 0;
        ssize_t at = str_rfind(name, l->home->separator);

        if (bits & (FOLDER_SELECTABLE | FOLDER_CHILDREN) || l->found.at[i].path)
            tell |= FOLDER_CHILDREN;
        if (bits & (FOLDER_SUBSCRIBED | FOLDER_CHILD_SUBSCRIBED))
            tell |= FOLDER_CHILD_SUBSCRIBED;
        if (at <= 0)
            continue;

        struct folder *parent = entry(l, str_sub(name, 0, (size_t)at));

        parent->bits |= tell;
    }
}

/* From below: longer names first, until nothing is added. */
static void
add_parents(struct listing *l)
{
    size_t before;

    for (int i = 0; i <= DEPTH_MAX; i++) {
        before = l->found.len;
        tell_parents(l);
        if (l->found.len == before && i > 0)
            break;
    }
}

static int
cmp_folder(const void *a, const void *b)
{
    const struct folder *x = a, *y = b;
    bool in_x = str_eq(x->name, S("INBOX")), in_y = str_eq(y->name, S("INBOX"));

    return in_x != in_y ? in_y - in_x : str_cmp(x->name, y->name);
}

static enum rc
add_texts(struct listing *l, struct why *why)
{
    struct str *names, use, path;
    struct str text;
    size_t count;
    enum rc rc = subs_load(l->home, l->a, &names, &count, why);

    for (size_t i = 0; rc == OK && i < count; i++)
        entry(l, names[i])->bits |= FOLDER_SUBSCRIBED;
    if (rc == OK)
        rc = uses_load(l->home, l->a, &text, why);
    while (rc == OK && uses_next(&text, &use, &path)) {
        struct str name = home_name(l->home, l->a, path);
        void *place = name.len ? hash_get(l->places, name) : NULL;

        if (place)
            l->found.at[(uintptr_t)place - 1].use = use;
    }
    return rc;
}

enum rc
folders_list(struct home *h, struct arena *a, struct folder_list *list,
             struct why *why)
{
    struct listing l = {.home = h, .a = a, .places = hash_new()};
    enum rc rc = OK;

    look_at(&l, add_path(&l, "."));
    if (!(h->fs ? list_tree(&l, ".", 0) : list_flat(&l)))
        rc = store_fail(errno, why, "cannot list %s", h->root);
    if (rc == OK)
        rc = add_texts(&l, why);
    add_parents(&l);
    hash_free(l.places);

    *list = (struct folder_list){NULL, l.found.len};
    if (l.found.len)
        qsort(l.found.at, l.found.len, sizeof *l.found.at, cmp_folder);
    list->at = arena_alloc(a, l.found.len * sizeof *l.found.at);
    memcpy(list->at, l.found.at, l.found.len * sizeof *l.found.at);
    vec_free(&l.found);
    return rc;
}

enum rc
folders_ids(struct home *h, struct arena *a, struct folder_ids *ids,
            struct why *why)
{
    struct folder_list list;
    struct index_folder f;
    enum rc rc = folders_list(h, a, &list, why);

    *ids = (struct folder_ids){.complete = true};
    if (rc == OK)
        rc = home_check(h, why);
    if (rc != OK)
        return rc;
    ids->at = arena_alloc(a, (list.len + 1) * sizeof *ids->at);
    kv_env_read(h->kv);
    for (size_t i = 0; i < list.len; i++) {
        if (!(list.at[i].bits & FOLDER_SELECTABLE))
            continue;
        if (!index_folder_get(h->kv, str_from(list.at[i].path), &f)) {
            ids->complete = false;
            continue;
        }
        memcpy(ids->at[ids->len].guid, f.guid, sizeof f.guid);
        ids->at[ids->len++].validity = f.validity;
    }
    return kv_env_end(h->kv, why);
}

bool
folder_exists(const struct home *h, struct arena *a, struct str name)
{
    const char *path;
    struct why why;

    return home_path(h, a, name, &path, &why) == OK && folder_is_at(h, path);
}

bool
folder_is_at(const struct home *h, const char *path)
{
    struct stat st;

    return stat_maildir(h, path, &st);
}

/* Making. */

static enum rc
make_dirs(struct home *h, struct arena *a, const char *path, struct why *why)
{
    static const char *const parts[] = {"", "/tmp", "/new", "/cur"};

    /* Parents in the fs layout. */
    for (const char *p = path; (p = strchr(p, '/')); p++)
        (void)!disk_make_dir(
            h->dir, arena_cstr(a, (struct str){path, (size_t)(p - path)}));
    for (size_t i = 0; i < COUNT(parts); i++)
        if (!disk_make_dir(h->dir, arena_fmt(a, "%s%s", path, parts[i])) &&
            errno != EEXIST)
            return store_fail(errno, why, "cannot make %s", path);
    if (h->fs)
        return OK;

    auto_close int mark =
        openat(h->dir, arena_fmt(a, "%s/" FOLDER_MARK, path),
               O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    return mark < 0 || !disk_share(mark, h->dir, path)
               ? store_fail(errno, why, "cannot make %s", path)
               : OK;
}

enum rc
folder_make(struct home *h, struct str name, struct why *why)
{
    struct arena *a = arena_new("folder", 4 << 20);
    const char *path;
    enum rc rc = home_path(h, a, name, &path, why);

    if (rc == OK)
        rc = make_dirs(h, a, path, why);
    if (rc == OK)
        home_tell(h, S(""));
    arena_free(a);
    return rc;
}

static enum rc
exists(struct why *why)
{
    return fail(why, "5.1.4", "there is a folder of that name already");
}

static enum rc
create(struct home *h, struct arena *a, struct str name, struct str use,
       struct why *why)
{
    struct mailbox *box;
    const char *path;
    enum rc rc = home_path(h, a, name, &path, why);

    if (rc == OK && folder_is_at(h, path))
        rc = exists(why);
    if (rc == OK)
        rc = make_dirs(h, a, path, why);
    if (rc == OK && use.len)
        rc = uses_set(h, a, path, use, why);
    if (rc != OK)
        return rc;

    /* Its UIDVALIDITY and identity are on disk from now on. */
    rc = mailbox_open(h, name, &box, why);
    if (rc == OK)
        mailbox_close(box);
    return rc;
}

enum rc
folder_create(struct home *h, struct str name, struct str use, struct why *why)
{
    struct arena *a = arena_new("folder", 4 << 20);
    enum rc rc = use.len && !uses_valid(use)
                     ? fail(why, "5.1.1", "that is no special use")
                     : create(h, a, name, use, why);

    if (rc == OK)
        home_tell(h, S(""));
    arena_free(a);
    return rc;
}

enum rc
folder_status(struct home *h, struct str name, bool sizes,
              struct mailbox_status *status, struct why *why)
{
    struct mailbox *box;
    enum rc rc = mailbox_open(h, name, &box, why);

    if (rc != OK)
        return rc;
    rc = mailbox_status(box, sizes, status, why);
    mailbox_close(box);
    return rc;
}
