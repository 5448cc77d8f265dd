#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/test.h"

/* What the file holds; it is empty afterwards. */
static const char *
logged(int fd)
{
    static char text[65536];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    assert_int_equal(ftruncate(fd, 0), 0);
    lseek(fd, 0, SEEK_SET);
    return text;
}

/* "Feb  6 10:00:00 host tag[1]: text\n": the part from the tag on. */
static const char *
from_tag(const char *line)
{
    const char *at = strstr(line, "posta/test[");

    assert_non_null(at);
    assert_int_equal(line[3], ' ');
    assert_int_equal(line[6], ' ');
    assert_int_equal(line[9], ':');
    assert_int_equal(line[15], ' ');
    return at;
}

static int
open_log(void)
{
    int fd = memfd_create("log", MFD_CLOEXEC);

    assert_true(fd >= 0);
    log_open("posta/test", fd, "mail");
    return fd;
}

static void
lines(void **state)
{
    auto_close int fd = open_log();
    char want[100];

    (void)state;
    log_info("A%d: %s", 1, "x");
    assert_string_equal(logged(fd), ""); /* waits */
    log_flush();
    snprintf(want, sizeof want, "posta/test[%d]: A1: x\n", (int)getpid());
    assert_string_equal(from_tag(logged(fd)), want);
}

/* Warnings go out at once, and with what waited before them. */
static void
warnings(void **state)
{
    auto_close int fd = open_log();

    (void)state;
    log_info("first");
    errno = ENOENT;
    log_warn("second: %m");
    assert_int_equal(errno, ENOENT);

    const char *text = logged(fd), *first = strstr(text, "]: first\n");

    assert_non_null(first);
    assert_non_null(
        strstr(first, "]: warning: second: No such file or directory\n"));
    log_error("third");
    assert_non_null(strstr(logged(fd), "]: error: third\n"));
}

static void
foreign_bytes(void **state)
{
    auto_close int fd = open_log();

    (void)state;
    log_info("a\r\nb\x1b\x7f\xc3\xbc\xfc\xe2\x82");
    log_flush();
    assert_non_null(strstr(logged(fd), "]: a??b??\xc3\xbc???\n"));
}

static void
long_lines(void **state)
{
    auto_close int fd = open_log();
    size_t count = 0;

    (void)state;
    for (int i = 0; i < 20; i++)
        log_info("%03000d end", 7);
    log_flush();
    for (const char *p = logged(fd); *p; p++)
        count += *p == '\n';
    assert_int_equal(count, 20);
}

static void
forks(void **state)
{
    auto_close int fd = open_log();
    int status;

    (void)state;
    log_info("of the parent");

    pid_t pid = fork();

    if (pid == 0) {
        log_forked();
        log_info("of the child");
        log_fatal("end");
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);

    char want[100];
    const char *text = logged(fd);

    assert_null(strstr(text, "of the parent"));
    snprintf(want, sizeof want, "posta/test[%d]: of the child\n", (int)pid);
    assert_non_null(strstr(text, want));
    assert_non_null(strstr(text, "]: fatal: end\n"));
    log_flush();
    assert_non_null(strstr(logged(fd), "of the parent"));
}

static void
reopens(void **state)
{
    auto_close int fd = open_log();
    auto_close int other = memfd_create("log", MFD_CLOEXEC);

    (void)state;
    log_info("old");
    log_reopen(other);
    log_info("new");
    log_flush();
    assert_non_null(strstr(logged(fd), "]: old\n"));
    assert_non_null(strstr(logged(other), "]: new\n"));
}

TESTS(TEST(lines), TEST(warnings), TEST(foreign_bytes), TEST(long_lines),
      TEST(forks), TEST(reopens))
