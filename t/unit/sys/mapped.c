#include "sys/mapped.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"

static int
file_of(size_t size)
{
    int fd = memfd_create("mapped", MFD_CLOEXEC);
    char page[4096];

    memset(page, 'x', sizeof page);
    assert_true(fd >= 0);
    for (size_t left = size; left > 0;) {
        size_t n = left < sizeof page ? left : sizeof page;

        assert_int_equal(write(fd, page, n), n);
        left -= n;
    }
    return fd;
}

/* Of what is not ours, the fault still ends the process. */
static void
dies_elsewhere(void)
{
    int fd = file_of(8192), status;
    pid_t pid = fork();

    if (pid == 0) {
        const volatile char *p = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);

        if (ftruncate(fd, 0) == 0)
            _exit(p[5000]);
        _exit(1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
    close(fd);
}

/* The first test: cmocka takes the signal back before each. */
static void
cut_off(void **state)
{
    int fd = file_of(200000);
    struct str bytes;
    size_t left = 0;

    (void)state;
    assert_true(file_map(fd, &bytes));
    assert_int_equal(ftruncate(fd, 4096), 0);
    for (size_t i = 0; i < bytes.len; i++)
        left += bytes.p[i] == 'x';
    assert_int_equal(left, 4096);
    assert_int_equal(bytes.p[199999], 0);
    dies_elsewhere();
    file_unmap(bytes);
    close(fd);
}

/* One that is read, or one that is mapped. */
static void
is_whole(size_t size)
{
    int fd = file_of(size);
    struct str a, b;

    assert_true(file_map(fd, &a));
    assert_true(file_map(fd, &b));
    close(fd);
    assert_int_equal(a.len, size);
    assert_int_equal(a.p[0], 'x');
    assert_int_equal(b.p[size - 1], 'x');
    file_unmap(a);
    assert_int_equal(b.p[size / 2], 'x');
    file_unmap(b);
}

static void
whole(void **state)
{
    struct str none;

    (void)state;
    is_whole(10000);
    is_whole(100000);

    int fd = file_of(0);

    assert_true(file_map(fd, &none));
    assert_non_null(none.p);
    assert_int_equal(none.len, 0);
    file_unmap(none);
    close(fd);
    assert_false(file_map(fd, &none));
}

TESTS(TEST(cut_off), TEST(whole))
