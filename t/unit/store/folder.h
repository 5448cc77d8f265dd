/*
 * folder.h - a folder for one test, and files in it.
 */
#ifndef UNIT_STORE_FOLDER_H
#define UNIT_STORE_FOLDER_H

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"
#include "unit/test.h"

static inline char *
folder_new(struct arena *a)
{
    char *path = arena_fmt(a, "/tmp/posta-store-XXXXXX");

    assert_non_null(mkdtemp(path));
    return path;
}

static inline void
folder_remove(struct arena *a, const char *path)
{
    assert_int_equal(system(arena_fmt(a, "rm -rf %s", path)), 0);
}

static inline struct str
file_text(struct arena *a, const char *path)
{
    char *text = arena_alloc(a, 65536);
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, 65535);

    if (n < 0)
        fail_msg("%s: cannot be read", path);
    return (struct str){text, (size_t)n};
}

static inline void
file_write(const char *path, const char *text)
{
    auto_close int fd =
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* A queue file that holds "xx", the content, "yy". */
static inline struct store_message
message(const char *head, const char *content)
{
    int fd = memfd_create("queue", 0);
    size_t len = strlen(content);

    assert_int_equal(pwrite(fd, "xx", 2, 0), 2);
    assert_int_equal(pwrite(fd, content, len, 2), len);
    assert_int_equal(pwrite(fd, "yy", 2, 2 + (off_t)len), 2);
    off_t lines = 0;

    for (const char *p = head; *p; p++)
        lines += *p == '\n';
    for (const char *p = content; *p; p++)
        lines += *p == '\n';
    return (struct store_message){.head = str_from(head),
                                  .fd = fd,
                                  .from = 2,
                                  .to = 2 + (off_t)len,
                                  .lines = lines};
}

#endif
