/* Tables in LMDB files: built, looked up, refused where they are damaged. */
#include "sys/kv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/kv_check.h"
#include "unit/test.h"

#define MANY 5000

static char folder[] = "/tmp/kv.XXXXXX";
static char path[64];
static struct arena *a;

static struct why why;

static struct kv *
opened(void)
{
    struct kv *k;
    enum rc rc = kv_open(path, &k, &why);

    assert_int_equal(rc == OK, k != NULL);
    return k;
}

static int
by_key(const void *x, const void *y)
{
    return kv_cmp(((const struct kv_pair *)x)->key,
                  ((const struct kv_pair *)y)->key);
}

/* A table of MANY small values and a few large ones. */
static void
build(size_t count)
{
    struct kv_pair *pairs = arena_alloc(a, (count + 1) * sizeof *pairs);
    for (size_t i = 0; i < count; i++) {
        pairs[i].key = str_from(arena_fmt(a, "key%zu", i));
        pairs[i].value = i % 1000 == 7
                             ? (struct str){arena_alloc(a, 20000), 20000}
                             : str_from(arena_fmt(a, "value %zu", i));
    }
    qsort(pairs, count, sizeof *pairs, by_key);
    assert_int_equal(kv_build(path, pairs, count, NULL, &why), OK);
}

static void
finds_what_was_put(void **state)
{
    struct str value;

    (void)state;
    build(MANY);
    struct kv *k = opened();

    assert_non_null(k);
    assert_int_equal(kv_count(k), MANY);
    assert_true(kv_get(k, S("key1"), &value));
    assert_str(value, S("value 1"));
    assert_true(kv_get(k, S("key4007"), &value));
    assert_int_equal(value.len, 20000);
    assert_false(kv_get(k, S("key"), &value));
    assert_false(kv_get(k, S(""), &value));
    assert_false(kv_get(k, (struct str){arena_alloc(a, 600), 600}, &value));
    kv_close(k);
    assert_int_equal(access(arena_fmt(a, "%s-lock", path), F_OK), -1);
}

static void
walks_in_order(void **state)
{
    struct kv_pair pair;
    struct str last = S("");
    size_t count = 0;

    (void)state;
    build(MANY);
    struct kv *k = opened();

    for (bool more = kv_first(k, &pair); more; more = kv_next(k, &pair)) {
        assert_true(kv_cmp(last, pair.key) < 0);
        last = pair.key;
        count++;
    }
    assert_int_equal(count, MANY);
    kv_close(k);
}

static void
empty_table_has_nothing(void **state)
{
    struct kv_pair pair;

    (void)state;
    build(0);
    struct kv *k = opened();

    assert_non_null(k);
    assert_false(kv_first(k, &pair));
    assert_false(kv_get(k, S("x"), &pair.value));
    kv_close(k);
}

static void
open_table_outlives_its_successor(void **state)
{
    struct str value;

    (void)state;
    build(100);
    struct kv *k = opened();

    build(1);
    assert_true(kv_get(k, S("key99"), &value));
    assert_str(value, S("value 99"));
    kv_close(k);
}

static void
takes_over_the_mode(void **state)
{
    struct stat st, like = {.st_mode = 0640, .st_uid = 12, .st_gid = 13};

    (void)state;
    assert_int_equal(kv_build(path, NULL, 0, &like, &why), OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(st.st_uid, geteuid() == 0 ? 12 : geteuid());
    assert_int_equal(unlink(path), 0);
}

static void
says_what_is_wrong(void **state)
{
    static const struct {
        const char *content, *text;
        int err;
    } cases[] = {
        {NULL,          "No such file or directory", ENOENT},
        {"",            "is empty",                  EINVAL},
        {"some text\n", "is no LMDB table",          EINVAL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        unlink(path);
        if (cases[i].content) {
            FILE *f = fopen(path, "w");

            fputs(cases[i].content, f);
            fclose(f);
        }
        assert_null(opened());
        assert_int_equal(errno, cases[i].err);
        assert_non_null(strstr(why.text, cases[i].text));
    }
}

static void
a_cut_off_table_is_refused(void **state)
{
    (void)state;
    build(MANY);
    assert_int_equal(truncate(path, 40960), 0);
    assert_null(opened());
    assert_non_null(strstr(why.text, "is cut short"));
}

/* Whatever byte changes: refused, or read without a fault. */
static void
no_damage_is_a_crash(void **state)
{
    char original[65536];
    struct kv_pair pair;
    unsigned seed = 1, refused = 0;

    (void)state;
    build(500);
    int fd = open(path, O_RDWR);
    ssize_t size = pread(fd, original, sizeof original, 0);

    assert_true(size > 8192 && size < (ssize_t)sizeof original);
    for (int round = 0; round < 3000; round++) {
        off_t at = rand_r(&seed) % size;
        char byte = (char)rand_r(&seed);

        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        struct kv *k = opened();

        refused += k == NULL;
        if (k) {
            size_t bytes = 0, budget = 1000;

            for (bool more = kv_first(k, &pair); more && budget--;
                 more = kv_next(k, &pair))
                for (size_t i = 0; i < pair.value.len; i++)
                    bytes += (unsigned char)pair.value.p[i];
            assert_true(bytes < SIZE_MAX);
        }
        kv_close(k);
        assert_int_equal(pwrite(fd, original + at, 1, at), 1);
    }
    assert_true(refused > 0);
    close(fd);
}

static void
a_lock_waits_for_the_new_file(void **state)
{
    (void)state;
    unlink(path);
    assert_int_equal(kv_lock(path), -1);
    build(1);
    int fd = kv_lock(path);

    assert_true(fd >= 0);
    close(fd);
}

static int
set_up(void **state)
{
    (void)state;
    a = arena_new("test", 64 << 20);
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/t.lmdb", folder);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    unlink(path);
    arena_free(a);
    return rmdir(folder);
}

TESTS_WITHIN(set_up, tear_down, TEST(finds_what_was_put), TEST(walks_in_order),
             TEST(empty_table_has_nothing),
             TEST(open_table_outlives_its_successor), TEST(takes_over_the_mode),
             TEST(says_what_is_wrong), TEST(a_cut_off_table_is_refused),
             TEST(no_damage_is_a_crash), TEST(a_lock_waits_for_the_new_file))
