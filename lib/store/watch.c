#include "store/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/log.h"
#include "store/metadata.h"
#include "store/own.h"
#include "store/subs.h"

#define EVENTS                                                                 \
    (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF |    \
     IN_MOVE_SELF | IN_ONLYDIR)

/* A folder that is renamed, or deleted, which begins so. It may be watched for
 * what is in it, too. */
#define LEAVING (IN_MOVE_SELF | IN_ONLYDIR | IN_MASK_ADD)

/* The kernel gives a folder one number, whoever watches it, so several places
 * may have the same. */
struct place {
    int wd;
    enum watch_kind kind;
    void *owner;
    bool changed;
};

enum { MAILBOX_PARTS = 3 }; /* new/, cur/ and the folder they are in */

struct watcher {
    int fd;
    VEC(struct place) places; /* by wd */
    size_t next;              /* none before it has changed */
};

enum rc
watcher_new(struct watcher **out, struct why *why)
{
    struct watcher *w = calloc(1, sizeof *w);

    if (w == NULL)
        log_fatal("out of memory for a watcher");
    *out = NULL;
    w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->fd < 0) {
        free(w);
        return fail(why, "4.3.0",
                    errno == EMFILE ? "cannot watch folders: all inotify "
                                      "instances of this account are in use; "
                                      "raise fs.inotify.max_user_instances"
                                    : "cannot watch folders: %m");
    }
    *out = w;
    return OK;
}

void
watcher_free(struct watcher *w)
{
    if (w == NULL)
        return;
    if (w->fd >= 0)
        close(w->fd);
    vec_free(&w->places);
    free(w);
}

int
watcher_fd(const struct watcher *w)
{
    return w->fd;
}

/* The first place that has this number or a higher one. */
static size_t
rank(const struct watcher *w, int wd)
{
    size_t low = 0, high = w->places.len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (w->places.at[middle].wd < wd)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool
watch_path(struct watcher *w, const char *path, uint32_t events,
           enum watch_kind kind, void *owner)
{
    int wd = inotify_add_watch(w->fd, path, events);
    size_t at;

    if (wd < 0)
        return false;
    at = rank(w, wd);

    vec_add(&w->places);
    memmove(&w->places.at[at + 1], &w->places.at[at],
            (w->places.len - 1 - at) * sizeof *w->places.at);
    w->places.at[at] = (struct place){.wd = wd, .kind = kind, .owner = owner};
    return true;
}

/* A folder by its descriptor, as its name may change, and what is below. */
static bool
watch_for(struct watcher *w, uint32_t events, int dir, const char *below,
          enum watch_kind kind, void *owner)
{
    char path[PATH_LEN + 60];

    snprintf(path, sizeof path, "/proc/self/fd/%d%s", dir, below);
    return watch_path(w, path, events, kind, owner);
}

static bool
watch(struct watcher *w, int dir, const char *below, enum watch_kind kind,
      void *owner)
{
    return watch_for(w, EVENTS, dir, below, kind, owner);
}

static enum rc
cannot(struct watcher *w, void *owner, const char *what, struct why *why)
{
    bool gone = errno == ENOENT || errno == ENOTDIR;
    enum rc rc =
        fail(why, gone ? "5.2.0" : "4.3.0", "cannot watch %s: %m", what);

    watcher_drop(w, owner);
    return rc;
}

enum rc
watcher_add(struct watcher *w, struct mailbox *box, struct why *why)
{
    bool root = str_eq(box->path, S("."));

    return watch(w, box->new, "", WATCH_MAILBOX, box) &&
                   watch(w, box->cur, "", WATCH_MAILBOX, box) &&
                   (root ||
                    watch_for(w, LEAVING, box->dir, "", WATCH_MAILBOX, box))
               ? OK
               : cannot(w, box, box->path.p, why);
}

enum rc
watcher_add_messages(struct watcher *w, const struct home *home,
                     const char *path, void *owner, struct why *why)
{
    static const char *const parts[] = {"new", "cur"};
    char below[PATH_LEN + 10];

    for (size_t i = 0; i < COUNT(parts); i++) {
        snprintf(below, sizeof below, "/%s/%s", path, parts[i]);
        if (!watch(w, home->dir, below, WATCH_MESSAGES, owner))
            return cannot(w, owner, path, why);
    }
    return OK;
}

enum rc
watcher_add_folders(struct watcher *w, const struct home *home,
                    const char *path, void *owner, struct why *why)
{
    char below[PATH_LEN + 10];

    if (!home->fs && strcmp(path, ".") != 0)
        return OK;
    snprintf(below, sizeof below, "/%s", path);
    return watch(w, home->dir, below, WATCH_FOLDERS, owner)
               ? OK
               : cannot(w, owner, path, why);
}

enum rc
watcher_add_list(struct watcher *w, const char *path, void *owner,
                 struct why *why)
{
    return watch_path(w, path, IN_MOVED_TO | IN_DELETE | IN_ONLYDIR, WATCH_LIST,
                      owner)
               ? OK
               : cannot(w, owner, path, why);
}

static bool
others_have(const struct watcher *w, int wd)
{
    size_t at = rank(w, wd);

    return at < w->places.len && w->places.at[at].wd == wd;
}

void
watcher_drop(struct watcher *w, const void *owner)
{
    size_t kept = 0;
    VEC(int) gone = {0};

    for (size_t i = 0; i < w->places.len; i++)
        if (w->places.at[i].owner == owner)
            *vec_add(&gone) = w->places.at[i].wd;
        else
            w->places.at[kept++] = w->places.at[i];
    w->places.len = kept;
    w->next = 0;
    for (size_t i = 0; i < gone.len; i++)
        if (!others_have(w, gone.at[i]))
            inotify_rm_watch(w->fd, gone.at[i]);
    vec_free(&gone);
}

/* In a folder of folders, and of locks and lists that come and go with each
 * message. */
static bool
concerns_folders(const struct inotify_event *e)
{
    static const char *const files[] = {SUBS_FILE, USES_FILE, METADATA_FILE};

    if (e->len == 0 || e->mask & IN_ISDIR)
        return true;
    for (size_t i = 0; i < COUNT(files); i++)
        if (strcmp(e->name, files[i]) == 0)
            return true;
    return false;
}

static void
note(struct watcher *w, const struct inotify_event *e)
{
    bool all = e->mask & IN_Q_OVERFLOW;

    for (size_t i = all ? 0 : rank(w, e->wd);
         i < w->places.len && (all || w->places.at[i].wd == e->wd); i++) {
        struct place *p = &w->places.at[i];

        if (!all && p->kind == WATCH_FOLDERS && !concerns_folders(e))
            continue;
        p->changed = true;
        if (e->mask & IN_MOVE_SELF && p->kind == WATCH_MAILBOX)
            mailbox_doubt_place(p->owner);
        if (i < w->next)
            w->next = i;
    }
}

static void
read_events(struct watcher *w)
{
    _Alignas(struct inotify_event) char data[8192];
    ssize_t n;

    while ((n = read(w->fd, data, sizeof data)) > 0)
        for (char *p = data; p < data + n;) {
            const struct inotify_event *e = (const void *)p;

            note(w, e);
            p += sizeof *e + e->len;
        }
}

void *
watcher_next(struct watcher *w, enum watch_kind *kind)
{
    void *found = NULL;
    int parts = 0;

    read_events(w);
    while (w->next < w->places.len && !w->places.at[w->next].changed)
        w->next++;
    for (size_t i = w->next; i < w->places.len; i++) {
        struct place *p = &w->places.at[i];

        if (!p->changed || (found && (p->owner != found || p->kind != *kind)))
            continue;
        found = p->owner;
        *kind = p->kind;
        p->changed = false;
        if (++parts == MAILBOX_PARTS)
            break;
    }
    return found;
}
