#include "authd/throttle.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/test.h"

static const struct throttle_limits limits = {24, 64};
static const struct throttle_client alice = {S("alice"), S("192.0.2.7"), false};

static char *
folder(struct arena *a, int *dir)
{
    char *path = arena_fmt(a, "/tmp/posta-throttle-XXXXXX");

    assert_non_null(mkdtemp(path));
    *dir = open(path, O_RDONLY | O_DIRECTORY);
    return path;
}

static struct throttle *
open_it(struct arena *a, int dir)
{
    struct throttle *t;
    struct why why;

    assert_int_equal(throttle_open(a, dir, "throttle", &limits, &t, &why), OK);
    return t;
}

static void
clean(struct arena *a, const char *path, int dir)
{
    close(dir);
    assert_int_equal(system(arena_fmt(a, "rm -r %s", path)), 0);
    arena_free(a);
}

static void
fail_often(struct throttle *t, const struct throttle_client *c, int n,
           int64_t now)
{
    for (int i = 0; i < n; i++)
        throttle_failed(t, c, false, now);
}

static void
grows_and_survives(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    int dir;
    char *path = folder(a, &dir);
    struct throttle *t = open_it(a, dir);

    (void)state;
    for (unsigned i = 1; i <= 5; i++) {
        assert_int_equal(throttle_wait(t, &alice, 1000), 0);
        assert_int_equal(throttle_failed(t, &alice, false, 1000), i);
    }
    fail_often(t, &alice, 1, 1000);
    assert_int_equal(throttle_wait(t, &alice, 1000), 2);
    assert_int_equal(throttle_wait(t, &alice, 1002), 0);
    fail_often(t, &alice, 3, 1002);
    assert_int_equal(throttle_wait(t, &alice, 1002), 16);
    throttle_close(t);

    t = open_it(a, dir);
    assert_int_equal(throttle_wait(t, &alice, 1002), 16);
    fail_often(t, &alice, 30, 1002);
    assert_int_equal(throttle_wait(t, &alice, 1002), 900);
    /* Counts halve in an hour. */
    assert_int_equal(throttle_wait(t, &alice, 1002 + 4 * 3600), 0);
    throttle_close(t);
    clean(a, path, dir);
}

static void
networks(void **state)
{
    static const struct throttle_client
        neighbour = {S("alice"), S("192.0.2.200"), false},
        elsewhere = {S("alice"), S("198.51.100.1"), false},
        six = {S("alice"), S("2001:db8::1"), false},
        six_near = {S("alice"), S("2001:db8::ffff:1"), false},
        six_far = {S("alice"), S("2001:db8:0:1::1"), false},
        nobody = {S("alice"), S(""), false};
    struct arena *a = arena_new("test", 1 << 20);
    int dir;
    char *path = folder(a, &dir);
    struct throttle *t = open_it(a, dir);

    (void)state;
    fail_often(t, &alice, 10, 5000);
    assert_true(throttle_wait(t, &neighbour, 5000) > 0);
    assert_int_equal(throttle_wait(t, &elsewhere, 5000), 0);
    assert_int_equal(throttle_wait(t, &nobody, 5000), 0);
    fail_often(t, &six, 10, 5000);
    assert_true(throttle_wait(t, &six_near, 5000) > 0);
    assert_int_equal(throttle_wait(t, &six_far, 5000), 0);
    throttle_close(t);
    clean(a, path, dir);
}

/* One network, many names. */
static void
a_network_guesses(void **state)
{
    static const struct throttle_client fresh = {S("new"), S("192.0.2.9"),
                                                 false},
                                        here = {S("new"), S("192.0.2.9"), true};
    struct arena *a = arena_new("test", 1 << 20);
    int dir;
    char *path = folder(a, &dir);
    struct throttle *t = open_it(a, dir);

    (void)state;
    for (int i = 0; i < 200; i++) {
        struct throttle_client c = {str_from(arena_fmt(a, "user%d", i)),
                                    S("192.0.2.77"), false};

        throttle_failed(t, &c, false, 7000);
    }
    assert_true(throttle_wait(t, &fresh, 7000) > 0);
    assert_int_equal(throttle_wait(t, &here, 7000), 0);
    throttle_close(t);
    clean(a, path, dir);
}

/* Nobody can lock out a user by guessing from next door, or from anywhere. */
static void
a_known_place_stays_open(void **state)
{
    static const struct throttle_client evil = {S("alice"), S("192.0.2.66"),
                                                false};
    struct arena *a = arena_new("test", 1 << 20);
    int dir;
    char *path = folder(a, &dir);
    struct throttle *t = open_it(a, dir);

    (void)state;
    throttle_succeeded(t, &alice, 9000);
    fail_often(t, &evil, 500, 9001);
    assert_true(throttle_wait(t, &evil, 9001) > 0);
    assert_int_equal(throttle_wait(t, &alice, 9001), 0);
    /* His own count there. */
    fail_often(t, &alice, 10, 9001);
    assert_true(throttle_wait(t, &alice, 9001) > 0);
    throttle_succeeded(t, &alice, 9001);
    assert_int_equal(throttle_wait(t, &alice, 9001), 0);
    throttle_close(t);
    clean(a, path, dir);
}

static void
the_same_again_is_not_counted(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    int dir;
    char *path = folder(a, &dir);
    struct throttle *t = open_it(a, dir);

    (void)state;
    throttle_failed(t, &alice, false, 100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(throttle_failed(t, &alice, true, 100), 2);
    assert_int_equal(throttle_wait(t, &alice, 100), 0);
    throttle_close(t);
    clean(a, path, dir);
}

static void
another_file_is_made_anew(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    int dir;
    char *path = folder(a, &dir);
    int fd = openat(dir, "throttle", O_WRONLY | O_CREAT, 0600);
    struct stat st;

    (void)state;
    assert_int_equal(write(fd, "junk", 4), 4);
    close(fd);
    struct throttle *t = open_it(a, dir);

    assert_int_equal(throttle_failed(t, &alice, false, 1), 1);
    /* Whatever is thrown at it, it stays as large. */
    assert_int_equal(fstatat(dir, "throttle", &st, 0), 0);
    off_t size = st.st_size;

    for (int i = 0; i < 200000; i++) {
        char name[16];
        struct throttle_client c = {
            {name, (size_t)snprintf(name, sizeof name, "u%d", i)},
            S("192.0.2.1"),
            true
        };

        throttle_failed(t, &c, false, 2);
    }
    assert_int_equal(fstatat(dir, "throttle", &st, 0), 0);
    assert_int_equal(st.st_size, size);
    throttle_close(t);
    clean(a, path, dir);
}

TESTS(TEST(grows_and_survives), TEST(networks), TEST(a_network_guesses),
      TEST(a_known_place_stays_open), TEST(the_same_again_is_not_counted),
      TEST(another_file_is_made_anew))
