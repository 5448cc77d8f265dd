#include "queue/spool.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/disk.h"

#include "unit/test.h"

static struct {
    char path[32];
    int dir;
} top;

static int
setup(void **state)
{
    struct why why;

    (void)state;
    snprintf(top.path, sizeof top.path, "/tmp/posta-spool-XXXXXX");
    assert_non_null(mkdtemp(top.path));
    top.dir = open(top.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(top.dir >= 0);
    assert_int_equal(spool_make(top.dir, geteuid(), getegid(), &why), OK);
    return 0;
}

static int
teardown(void **state)
{
    char command[64];

    (void)state;
    close(top.dir);
    snprintf(command, sizeof command, "rm -rf %s", top.path);
    return system(command);
}

static struct queue_id
id(uint64_t n)
{
    return queue_id_make(1763787600000000 + n, (uint16_t)n, n % 2);
}

static void
make_file(enum spool_folder folder, uint64_t n)
{
    char path[SPOOL_PATH_MAX];
    int fd = disk_create(top.dir,
                         spool_path(folder, id(n), (int64_t)n + 1, path), 0700);

    assert_true(fd >= 0);
    close(fd);
}

static void
folders_are_private(void **state)
{
    static const char *const names[] = {"incoming",    "deferred",
                                        "deferred/00", "deferred/3F",
                                        "hold",        "corrupt"};
    struct stat st;
    struct why why;

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_int_equal(fstatat(top.dir, names[i], &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
    }
    assert_int_equal(spool_make(top.dir, geteuid(), getegid(), &why), OK);
}

/* Each file is found once, in its folder only. */
static void
walks(void **state)
{
    bool seen[500] = {false};
    struct spool_walk w;
    struct queue_id found;
    int64_t seal;
    size_t count = 0;

    (void)state;
    for (uint64_t n = 0; n < COUNT(seen); n++)
        make_file(SPOOL_DEFERRED, n);
    make_file(SPOOL_HOLD, 1000);
    w = spool_walk(top.dir, SPOOL_DEFERRED);
    for (; spool_next(&w, &found, &seal); count++) {
        assert_in_range(seal, 1, COUNT(seen));
        assert_false(seen[seal - 1]);
        seen[seal - 1] = true;
        assert_int_equal(found.tail, id((uint64_t)seal - 1).tail);
    }
    assert_int_equal(count, COUNT(seen));
    w = spool_walk(top.dir, SPOOL_HOLD);
    assert_true(spool_next(&w, &found, &seal));
    assert_int_equal(seal, 1001);
    assert_false(spool_next(&w, &found, &seal));
}

/* What another mail system left there is counted and never named. */
static void
strangers(void **state)
{
    static const char *const names[] = {"incoming/4F2A31B7C0",
                                        "incoming/4YcZ1X0abcz7H",
                                        "incoming/0123456789-123"};
    struct spool_walk w;
    struct queue_id found;
    int64_t seal;

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        int fd = disk_create(top.dir, names[i], 0600);

        assert_true(fd >= 0);
        close(fd);
    }
    w = spool_walk(top.dir, SPOOL_INCOMING);
    assert_false(spool_next(&w, &found, &seal));
    assert_int_equal(w.strange, COUNT(names));
}

static void
finds(void **state)
{
    enum spool_folder folder;
    int64_t seal;

    (void)state;
    make_file(SPOOL_INCOMING, 1);
    make_file(SPOOL_DEFERRED, 2);
    make_file(SPOOL_HOLD, 3);
    for (uint64_t n = 1; n <= 3; n++) {
        assert_true(spool_find(top.dir, id(n), &folder, &seal));
        assert_int_equal(seal, n + 1);
        assert_int_equal(folder, n - 1);
    }
    assert_false(spool_find(top.dir, id(4), &folder, &seal));
}

static void
names(void **state)
{
    enum spool_folder folder;

    (void)state;
    for (int i = 0; i < SPOOL_FOLDERS; i++) {
        const char *name = spool_folder_name((enum spool_folder)i);

        assert_true(spool_folder_find(str_from(name), &folder));
        assert_int_equal(folder, i);
    }
    assert_false(spool_folder_find(S("active"), &folder));
}

#define CASE(function)                                                         \
    cmocka_unit_test_setup_teardown(function, setup, teardown)

TESTS(CASE(folders_are_private), CASE(walks), CASE(strangers), CASE(finds),
      TEST(names))
