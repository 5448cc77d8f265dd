#include "auth/passwd_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit/test.h"

static char path[] = "/tmp/passwd-file.XXXXXX";

static void
put(struct str text)
{
    int fd = open(path, O_WRONLY | O_TRUNC);

    assert_int_equal(write(fd, text.p, text.len), text.len);
    close(fd);
}

static int
setup(void **state)
{
    (void)state;
    memcpy(strrchr(path, '.'), ".XXXXXX", 7);
    close(mkstemp(path));
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void
look_ups(void **state)
{
    struct passwd_file *f;
    struct passwd_user u;
    struct why why;
    size_t pos = 0;

    (void)state;
    put(S("# users\ntim:a:1\n\nann@x.org:b\n:nobody\ntim:second\nlast:c"));
    assert_int_equal(passwd_file_open(path, &f, &why), OK);
    assert_int_equal(passwd_file_count(f), 3);
    assert_true(passwd_file_find(f, S("tim"), &u));
    assert_str(u.password, S("a"));
    assert_str(u.uid, S("1"));
    assert_true(passwd_file_find(f, S("ann@x.org"), &u));
    assert_true(passwd_file_find(f, S("last"), &u));
    assert_str(u.password, S("c"));
    assert_false(passwd_file_find(f, S("ann"), &u));
    assert_false(passwd_file_find(f, S(""), &u));
    assert_false(passwd_file_find(f, S("Tim"), &u));
    assert_true(passwd_file_next(f, &pos, &u));
    assert_str(u.name, S("tim"));
    assert_true(passwd_file_next(f, &pos, &u));
    assert_str(u.name, S("ann@x.org"));
    assert_true(passwd_file_next(f, &pos, &u));
    assert_str(u.name, S("last"));
    assert_false(passwd_file_next(f, &pos, &u));
    passwd_file_close(f);
}

static void
changes(void **state)
{
    struct passwd_file *f;
    struct passwd_user u;
    struct why why;

    (void)state;
    put(S("tim:a\n"));
    assert_int_equal(passwd_file_open(path, &f, &why), OK);
    assert_false(passwd_file_changed(f));
    put(S("tim:bb\n"));
    assert_true(passwd_file_changed(f));
    assert_true(passwd_file_find(f, S("tim"), &u));
    assert_str(u.password, S("a"));
    assert_int_equal(passwd_file_reload(f, &why), OK);
    assert_true(passwd_file_find(f, S("tim"), &u));
    assert_str(u.password, S("bb"));
    /* What cannot be read leaves the old contents. */
    unlink(path);
    assert_false(passwd_file_changed(f));
    assert_int_equal(passwd_file_reload(f, &why), TEMP);
    assert_true(passwd_file_find(f, S("tim"), &u));
    passwd_file_close(f);
    assert_int_equal(passwd_file_open(path, &f, &why), TEMP);
    assert_null(f);
    assert_int_equal(passwd_file_open("/tmp", &f, &why), TEMP);
    passwd_file_close(NULL);
}

static void
empty(void **state)
{
    struct passwd_file *f;
    struct passwd_user u;
    struct why why;
    size_t pos = 0;

    (void)state;
    assert_int_equal(passwd_file_open(path, &f, &why), OK);
    assert_false(passwd_file_find(f, S("tim"), &u));
    assert_false(passwd_file_next(f, &pos, &u));
    passwd_file_close(f);
}

static void
many(void **state)
{
    FILE *out = fopen(path, "w");
    struct passwd_file *f;
    struct passwd_user u;
    struct why why;
    char name[40];

    (void)state;
    for (int i = 0; i < 100000; i++)
        fprintf(out,
                "user%d@example.org:{PLAIN}%d:5000:5000::/var/vmail/%d::\n", i,
                i, i);
    fclose(out);
    assert_int_equal(passwd_file_open(path, &f, &why), OK);
    assert_int_equal(passwd_file_count(f), 100000);
    for (int i = 0; i < 100000; i += 7) {
        snprintf(name, sizeof name, "user%d@example.org", i);
        assert_true(passwd_file_find(f, str_from(name), &u));
        snprintf(name, sizeof name, "{PLAIN}%d", i);
        assert_str(u.password, str_from(name));
    }
    assert_false(passwd_file_find(f, S("user100000@example.org"), &u));
    passwd_file_close(f);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

TESTS(CASE(look_ups), CASE(changes), CASE(empty), CASE(many))
