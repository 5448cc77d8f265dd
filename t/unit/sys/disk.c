#include "sys/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/test.h"

static struct {
    char path[32];
    int dir;
} top;

static int
setup(void **state)
{
    (void)state;
    snprintf(top.path, sizeof top.path, "/tmp/posta-disk-XXXXXX");
    assert_non_null(mkdtemp(top.path));
    top.dir = open(top.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return top.dir < 0;
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

static void
expect(const char *name, const char *text)
{
    char data[256] = "";
    auto_close int fd = disk_open(top.dir, name, O_RDONLY);

    assert_true(fd >= 0);
    assert_int_equal(disk_read(fd, data, sizeof data, 0), strlen(text));
    assert_string_equal(data, text);
}

static void
files(void **state)
{
    auto_close int fd = disk_create(top.dir, "a", 0600);
    struct stat st;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(disk_create(top.dir, "a", 0600), -1);
    assert_int_equal(errno, EEXIST);
    assert_true(disk_write(fd, S("one")));
    assert_true(disk_write(fd, S("two")));
    assert_true(disk_pwrite(fd, S("X"), 1));
    assert_true(disk_sync(fd) && disk_sync_dir(top.dir));
    expect("a", "oXetwo");
    assert_true(disk_truncate(fd, 3));
    expect("a", "oXe");
    assert_true(disk_give(fd, (uid_t)-1, (gid_t)-1, 0640));
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

static void
names(void **state)
{
    auto_close int fd = disk_create(top.dir, "tmp", 0600);

    (void)state;
    assert_true(disk_write(fd, S("new")));
    assert_true(disk_publish(top.dir, "tmp", "name"));
    expect("name", "new");
    assert_true(disk_link_fd(fd, top.dir, "second"));
    expect("second", "new");
    assert_false(disk_link_fd(fd, top.dir, "second"));
    assert_int_equal(errno, EEXIST);
    assert_true(disk_remove(top.dir, "name"));
    assert_false(disk_remove(top.dir, "name"));
    assert_int_equal(errno, ENOENT);
    assert_int_equal(symlinkat("second", top.dir, "link"), 0);
    assert_int_equal(disk_open(top.dir, "link", O_RDONLY), -1);
}

static void
copies(void **state)
{
    size_t sizes[] = {0, 10, 65536, 65537, 1000000};

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        size_t n = sizes[i];
        char name[32], *data = malloc(n + 16), *back = malloc(n + 16);
        auto_close int in = disk_create(top.dir, "in", 0600);

        snprintf(name, sizeof name, "out%zu", i);
        auto_close int out = disk_create(top.dir, name, 0600);

        for (size_t k = 0; k < n + 10; k++)
            data[k] = (char)('a' + k % 23);
        assert_true(disk_write(in, (struct str){data, n + 10}));
        assert_true(disk_write(out, S("head")));
        assert_true(disk_copy(out, in, 5, (off_t)n + 5));
        assert_int_equal(disk_read(out, back, n + 16, 4), n);
        assert_memory_equal(back, data + 5, n);
        /* Shorter than it was said to be. */
        assert_false(disk_copy(out, in, 5, (off_t)n + 100));
        assert_int_equal(errno, EIO);
        assert_true(disk_remove(top.dir, "in"));
        free(data);
        free(back);
    }
}

/* Whoever has the open file has the lock; others do not wait for it. */
static void
locks(void **state)
{
    auto_close int fd = disk_create(top.dir, "a", 0600);
    auto_close int other = disk_open(top.dir, "a", O_RDWR);
    int copy = dup(fd);

    (void)state;
    assert_true(disk_lock(fd));
    assert_false(disk_lock(other));
    assert_int_equal(errno, EWOULDBLOCK);
    assert_true(disk_lock(copy));
    close(copy);
    assert_false(disk_lock(other));
}

#define CASE(function)                                                         \
    cmocka_unit_test_setup_teardown(function, setup, teardown)

TESTS(CASE(files), CASE(names), CASE(copies), CASE(locks))
