#include "auth/last_use.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/test.h"

static char path[] = "/tmp/last-use.XXXXXX";
static int dir;

static int
setup(void **state)
{
    (void)state;
    memcpy(strrchr(path, '.'), ".XXXXXX", 7);
    assert_non_null(mkdtemp(path));
    dir = open(path, O_RDONLY | O_DIRECTORY);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    unlinkat(dir, "last-use", 0);
    close(dir);
    assert_int_equal(rmdir(path), 0);
    return 0;
}

static void
kept(void **state)
{
    struct last_use l, reader;
    struct last_used used;
    struct why why;

    (void)state;
    assert_int_equal(last_use_open(dir, "last-use", false, &l, &why), TEMP);
    assert_false(last_use_get(&l, S("tim"), 0, &used));
    assert_int_equal(last_use_open(dir, "last-use", true, &l, &why), OK);
    assert_false(last_use_get(&l, S("tim"), 0, &used));
    assert_true(last_use_set(&l, S("tim"), 0, S("imap"), 5000));
    assert_true(last_use_set(&l, S("tim"), 2, S("submission"), 6000));
    assert_true(last_use_set(&l, S("tim"), 0, S("smtp"), 7000));
    assert_int_equal(last_use_open(dir, "last-use", false, &reader, &why), OK);
    assert_true(last_use_get(&reader, S("tim"), 0, &used));
    assert_int_equal(used.when, 7000);
    assert_string_equal(used.service, "smtp");
    assert_true(last_use_get(&reader, S("tim"), 2, &used));
    assert_int_equal(used.when, 6000);
    assert_string_equal(used.service, "submissi");
    assert_false(last_use_get(&reader, S("tim"), 1, &used));
    assert_false(last_use_get(&reader, S("tim2"), 0, &used));
    assert_false(last_use_set(&reader, S("tim"), 0, S("smtp"), 8000));
    last_use_close(&reader);
    last_use_close(&l);
}

/* More than there is room for: it stays as large, the newest stay. */
static void
bounded(void **state)
{
    enum { MANY = LAST_USE_SETS * LAST_USE_WAYS / 2 };
    struct last_use l;
    struct last_used used;
    struct stat before, after;
    struct why why;
    char name[20];
    int lost = 0;

    (void)state;
    assert_int_equal(last_use_open(dir, "last-use", true, &l, &why), OK);
    fstat(l.fd, &before);
    for (int i = 1; i <= 2 * MANY; i++) {
        snprintf(name, sizeof name, "u%d", i);
        assert_true(last_use_set(&l, str_from(name), 0, S("smtp"), i));
    }
    fstat(l.fd, &after);
    assert_int_equal(before.st_size, after.st_size);
    for (int i = 2 * MANY - 1000; i <= 2 * MANY; i++) {
        snprintf(name, sizeof name, "u%d", i);
        assert_true(last_use_get(&l, str_from(name), 0, &used));
        assert_int_equal(used.when, i);
    }
    for (int i = 1; i <= MANY; i++) {
        snprintf(name, sizeof name, "u%d", i);
        lost += !last_use_get(&l, str_from(name), 0, &used);
    }
    assert_true(lost > 0 && lost < MANY / 2);
    last_use_close(&l);
}

/* A file that is something else is replaced. */
static void
foreign(void **state)
{
    struct last_use l;
    struct why why;
    int fd = openat(dir, "last-use", O_WRONLY | O_CREAT, 0600);

    (void)state;
    assert_int_equal(write(fd, "garbage", 7), 7);
    close(fd);
    assert_int_equal(last_use_open(dir, "last-use", false, &l, &why), TEMP);
    assert_int_equal(last_use_open(dir, "last-use", true, &l, &why), OK);
    assert_true(last_use_set(&l, S("tim"), 0, S("smtp"), 1));
    last_use_close(&l);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

TESTS(CASE(kept), CASE(bounded), CASE(foreign))
