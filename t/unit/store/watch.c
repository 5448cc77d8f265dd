#include "store/watch.h"

#include <poll.h>

#include "store/folders.h"
#include "unit/store/maildir.h"

static bool
readable(const struct watcher *w)
{
    struct pollfd p = {.fd = watcher_fd(w), .events = POLLIN};

    return poll(&p, 1, 0) == 1;
}

static void
told(void **state)
{
    struct user *u = user_new();
    struct mailbox *other;
    struct watcher *w;

    (void)state;
    user_login(u);
    good(folder_create(u->home, S("Other"), (struct str){0}, &u->why));
    good(mailbox_open(u->home, S("Other"), &other, &u->why));
    good(watcher_new(&w, &u->why));
    good(watcher_add(w, u->box, &u->why));
    good(watcher_add(w, other, &u->why));
    assert_false(readable(w));
    assert_null(watcher_next(w));

    user_put(u, "tmp/1.h");
    assert_false(readable(w));
    user_move(u, "tmp/1.h", "new/1.h");
    assert_true(readable(w));
    assert_ptr_equal(watcher_next(w), u->box);
    assert_null(watcher_next(w));
    assert_false(readable(w));

    user_move(u, "new/1.h", ".Other/cur/1.h:2,S");
    struct mailbox *first = watcher_next(w), *second = watcher_next(w);

    assert_true((first == other && second == u->box) ||
                (first == u->box && second == other));
    assert_null(watcher_next(w));

    watcher_drop(w, other);
    unlink(arena_fmt(u->a, "%s/.Other/cur/1.h:2,S", u->root));
    assert_null(watcher_next(w));
    watcher_free(w);
    mailbox_close(other);
    user_logout(u);
    user_end(u);
}

TESTS(TEST(told))
