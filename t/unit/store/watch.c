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

static void *
next(struct watcher *w)
{
    enum watch_kind kind;

    return watcher_next(w, &kind);
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
    assert_null(next(w));

    user_put(u, "tmp/1.h");
    assert_false(readable(w));
    user_move(u, "tmp/1.h", "new/1.h");
    assert_true(readable(w));
    assert_ptr_equal(next(w), u->box);
    assert_null(next(w));
    assert_false(readable(w));

    user_move(u, "new/1.h", ".Other/cur/1.h:2,S");
    struct mailbox *first = next(w), *second = next(w);

    assert_true((first == other && second == u->box) ||
                (first == u->box && second == other));
    assert_null(next(w));

    user_move(u, ".Other", ".Gone");
    assert_ptr_equal(next(w), other);
    assert_null(next(w));
    user_move(u, ".Gone", ".Other");
    assert_ptr_equal(next(w), other);
    assert_null(next(w));

    watcher_drop(w, other);
    unlink(arena_fmt(u->a, "%s/.Other/cur/1.h:2,S", u->root));
    assert_null(next(w));
    watcher_free(w);
    mailbox_close(other);
    user_logout(u);
    user_end(u);
}

/* Folders that are not open, and those that come and go. */
static void
folders(void **state)
{
    struct user *u = user_new();
    int first, second, names;
    enum watch_kind kind;
    struct watcher *w;

    (void)state;
    user_login(u);
    good(folder_create(u->home, S("Other"), (struct str){0}, &u->why));
    good(watcher_new(&w, &u->why));
    good(watcher_add_messages(w, u->home, ".Other", &first, &u->why));
    good(watcher_add_messages(w, u->home, ".Other", &second, &u->why));
    good(watcher_add_folders(w, u->home, ".", &names, &u->why));
    good(watcher_add_folders(w, u->home, ".Other", &names, &u->why));
    assert_int_equal(watcher_add_messages(w, u->home, ".None", &first, &u->why),
                     PERM);
    assert_null(next(w));
    good(watcher_add_messages(w, u->home, ".Other", &first, &u->why));

    user_put(u, ".Other/new/1.h");
    void *a = watcher_next(w, &kind), *b = next(w);

    assert_int_equal(kind, WATCH_MESSAGES);
    assert_true((a == &first && b == &second) || (a == &second && b == &first));
    assert_null(next(w));
    watcher_drop(w, &first);
    user_move(u, ".Other/new/1.h", ".Other/cur/1.h:2,");
    assert_ptr_equal(next(w), &second);
    assert_null(next(w));

    /* INBOX lies there too */
    user_put(u, "dovecot-uidlist.lock");
    assert_null(next(w));
    good(folder_subscribe(u->home, S("Other"), true, &u->why));
    assert_ptr_equal(watcher_next(w, &kind), &names);
    assert_int_equal(kind, WATCH_FOLDERS);
    assert_null(next(w));
    good(folder_create(u->home, S("Third"), (struct str){0}, &u->why));
    assert_ptr_equal(next(w), &names);
    good(folder_rename(u->home, S("Other"), S("Fourth"), &u->why));
    assert_ptr_equal(next(w), &names);
    user_put(u, ".Fourth/new/2.h");
    assert_ptr_equal(next(w), &second);
    assert_null(next(w));
    watcher_free(w);
    user_logout(u);
    user_end(u);
}

TESTS(TEST(told), TEST(folders))
