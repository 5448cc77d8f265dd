#include "store/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/log.h"
#include "store/own.h"

#define EVENTS                                                                 \
    (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF |    \
     IN_MOVE_SELF | IN_ONLYDIR)

struct place {
    int wd;
    struct mailbox *box;
    bool changed;
};

struct watcher {
    int fd;
    VEC(struct place) places;
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
        watcher_free(w);
        return fail(why, "4.3.0", "cannot watch folders: %m");
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

/* By its descriptor: the folder's name may change. */
static int
watch_dir(struct watcher *w, int dir)
{
    char path[40];

    snprintf(path, sizeof path, "/proc/self/fd/%d", dir);
    return inotify_add_watch(w->fd, path, EVENTS);
}

enum rc
watcher_add(struct watcher *w, struct mailbox *box, struct why *why)
{
    const int dirs[] = {box->new, box->cur};

    for (size_t i = 0; i < COUNT(dirs); i++) {
        int wd = watch_dir(w, dirs[i]);

        if (wd < 0) {
            enum rc rc =
                fail(why, "4.3.0", "cannot watch %.*s: %m", STR(box->name));

            watcher_drop(w, box);
            return rc;
        }
        *vec_add(&w->places) = (struct place){.wd = wd, .box = box};
    }
    return OK;
}

void
watcher_drop(struct watcher *w, struct mailbox *box)
{
    for (size_t i = w->places.len; i-- > 0;)
        if (w->places.at[i].box == box) {
            inotify_rm_watch(w->fd, w->places.at[i].wd);
            vec_drop(&w->places, i);
        }
}

static void
note(struct watcher *w, const struct inotify_event *e)
{
    for (size_t i = 0; i < w->places.len; i++)
        if (w->places.at[i].wd == e->wd || e->mask & IN_Q_OVERFLOW)
            w->places.at[i].changed = true;
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

struct mailbox *
watcher_next(struct watcher *w)
{
    struct mailbox *found = NULL;

    read_events(w);
    for (size_t i = 0; i < w->places.len; i++) {
        struct place *p = &w->places.at[i];

        if (!p->changed || (found && p->box != found))
            continue;
        found = p->box;
        p->changed = false;
    }
    return found;
}
