#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/own.h"
#include "unit/store/maildir.h"

#define HOUR 3600

static const struct timespec old = {.tv_sec = 1100000000, .tv_nsec = 5};

/* A look at tmp/ so many seconds from now. */
static void
look(struct user *u, int64_t later)
{
    auto_close int dir = open(u->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;

    user_set_time(u, "tmp", old);
    assert_int_equal(fstatat(dir, "tmp", &st, 0), 0);
    leftovers_remove(dir, &st, time(NULL) + later);
}

static int64_t
looked_at(struct user *u)
{
    struct stat st;

    assert_int_equal(stat(arena_fmt(u->a, "%s/tmp", u->root), &st), 0);
    assert_int_equal(st.st_mtim.tv_sec, old.tv_sec);
    return st.st_atim.tv_sec;
}

/* Of files that are as old as a message in them, too. */
static void
old_files(void **state)
{
    struct user *u = user_new();

    (void)state;
    user_put(u, "tmp/1.h");
    user_put(u, "tmp/2.h");
    user_set_time(u, "tmp/2.h", old);
    look(u, 35 * HOUR);
    assert_true(user_has(u, "tmp/1.h") && user_has(u, "tmp/2.h"));
    look(u, 37 * HOUR);
    assert_false(user_has(u, "tmp/1.h") || user_has(u, "tmp/2.h"));
    user_end(u);
}

static void
no_files(void **state)
{
    struct user *u = user_new();
    const char *far = arena_fmt(u->a, "%s/far", u->top);
    const char *tmp = arena_fmt(u->a, "%s/tmp", u->root);

    (void)state;
    assert_int_equal(mkdir(far, 0700), 0);
    file_write(arena_fmt(u->a, "%s/file", far), "x");
    assert_int_equal(mkdir(arena_fmt(u->a, "%s/folder", tmp), 0700), 0);
    assert_int_equal(symlink(arena_fmt(u->a, "%s/file", far),
                             arena_fmt(u->a, "%s/link", tmp)),
                     0);
    look(u, 37 * HOUR);
    assert_true(user_has(u, "tmp/folder") && user_has(u, "tmp/link"));

    /* A tmp/ somewhere else is left alone. */
    assert_int_equal(rename(tmp, arena_fmt(u->a, "%s/away", u->root)), 0);
    assert_int_equal(symlink(far, tmp), 0);
    look(u, 37 * HOUR);
    assert_true(user_has(u, "tmp/file"));
    user_end(u);
}

/* Who opens the folder looks, and for hours nobody else does. */
static void
opened(void **state)
{
    struct user *u = user_new();
    int64_t now = time(NULL);

    (void)state;
    user_set_time(u, "tmp", old);
    user_login(u);
    user_logout(u);
    assert_true(looked_at(u) >= now - 1);

    struct timespec lately = {.tv_sec = now - 7 * HOUR};

    assert_int_equal(utimensat(AT_FDCWD, arena_fmt(u->a, "%s/tmp", u->root),
                               (const struct timespec[]){lately, old}, 0),
                     0);
    user_login(u);
    user_logout(u);
    assert_int_equal(looked_at(u), lately.tv_sec);
    user_end(u);
}

TESTS(TEST(old_files), TEST(no_files), TEST(opened))
