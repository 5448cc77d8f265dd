#include "store/acl_walk.h"

#include <fcntl.h>
#include <unistd.h>

#include "store/acl_file.h"
#include "sys/disk.h"

#define DEPTH_MAX   32
#define FOLDERS_MAX 100000
#define WORK_LIMIT  ((size_t)4 << 20)

struct acl_walk {
    bool fs;
    acl_seen *seen;
    void *own;
    struct arena *a;
    size_t folders;
};

static bool
look(struct acl_walk *w, int dir)
{
    struct text_stamp stamp;
    struct acl acl;
    struct str text;
    struct why why;
    bool more = true;

    if (text_read(w->a, dir, ACL_FILE, 0, ACL_MAX, &text, &stamp, &why) == OK &&
        stamp.ino && acl_parse(w->a, text, &acl, &why) == OK)
        more = w->seen(w->own, &acl);
    arena_reset(w->a);
    return more;
}

/* The folders of a Maildir++ begin with a dot, those in folders do not. */
static bool
is_folder(const struct acl_walk *w, const struct dirent *e)
{
    if (e->d_type != DT_DIR && e->d_type != DT_UNKNOWN)
        return false;
    if (w->fs)
        return e->d_name[0] != '.';
    return e->d_name[0] == '.' && e->d_name[1] != '\0' && e->d_name[1] != '.';
}

static bool
walk(struct acl_walk *w, int dir, int depth)
{
    DIR *d = disk_list(dir, ".");
    bool more = look(w, dir);

    if (d == NULL)
        return more;
    for (struct dirent *e; more && depth > 0 && (e = readdir(d));) {
        if (!is_folder(w, e) || ++w->folders > FOLDERS_MAX)
            continue;
        auto_close int below =
            openat(dirfd(d), e->d_name,
                   O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

        if (below >= 0)
            more = walk(w, below, w->fs ? depth - 1 : 0);
    }
    closedir(d);
    return more;
}

void
acl_walk(const char *root, bool fs, acl_seen *seen, void *own)
{
    auto_close int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct acl_walk w = {.fs = fs, .seen = seen, .own = own};

    if (dir < 0)
        return;
    w.a = arena_new("acl", WORK_LIMIT);
    (void)walk(&w, dir, DEPTH_MAX);
    arena_free(w.a);
}
