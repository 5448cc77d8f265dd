#include "store/mbox.h"

#include <errno.h>
#include <time.h>

#include "unit/store/folder.h"

static struct mbox_policy
ordinary(void)
{
    return (struct mbox_policy){
        .lock = {.kinds = LOCK_FCNTL | LOCK_DOT,
                 .attempts = 1,
                 .stale = 500000},
        .owner = geteuid(),
    };
}

#define LINE S("From a@example.org  Thu Jan  1 00:00:00 1970\n")
#define HEAD "Return-Path: <a@example.org>\n"
#define MAIL                                                                   \
    "From a@example.org  Thu Jan  1 00:00:00 1970\n" HEAD                      \
    "A: b\n\n>From here\n\n"

static void
from_line(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    assert_str(mbox_from_line(a, S("a@example.org"), 0), LINE);
    arena_free(a);
}

static void
append(void **state)
{
    struct arena *a = arena_new("test", 8 << 20);
    const char *folder = folder_new(a);
    const char *path = arena_fmt(a, "%s/box", folder);
    struct store_message m = message(HEAD, "A: b\n\nFrom here");
    struct mbox_policy p = ordinary();
    struct stat st;
    struct why why;

    (void)state;
    assert_int_equal(mbox_append(a, path, LINE, &m, &p, &why), OK);
    assert_int_equal(mbox_append(a, path, LINE, &m, &p, &why), OK);
    assert_str(file_text(a, path), S(MAIL MAIL));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(access(arena_fmt(a, "%s.lock", path), F_OK), -1);

    /* Over the limit: cut back to what it was. */
    p.limit = st.st_size + 10;
    assert_int_equal(mbox_append(a, path, LINE, &m, &p, &why), PERM);
    assert_string_equal(why.dsn, "5.2.2");
    assert_string_equal(why.text, "error writing message: File too large");
    assert_str(file_text(a, path), S(MAIL MAIL));

    p.owner = geteuid() + 1;
    assert_int_equal(mbox_append(a, path, LINE, &m, &p, &why), TEMP);
    assert_non_null(strstr(why.text, "is not owned by recipient"));
    p.any_owner = true;
    p.limit = 0;
    assert_int_equal(mbox_append(a, path, LINE, &m, &p, &why), OK);
    folder_remove(a, folder);
    arena_free(a);
}

static void
links(void **state)
{
    struct arena *a = arena_new("test", 8 << 20);
    const char *folder = folder_new(a);
    const char *path = arena_fmt(a, "%s/box", folder);
    const char *link_path = arena_fmt(a, "%s/link", folder);
    struct store_message m = message("", "x\n");
    struct mbox_policy p = ordinary();
    struct why why;

    (void)state;
    file_write(path, "");
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(symlink(path, link_path), 0);
    assert_int_equal(mbox_append(a, link_path, LINE, &m, &p, &why), PERM);
    assert_string_equal(why.dsn, "5.2.0");
    assert_int_equal(unlink(link_path), 0);
    assert_int_equal(link(path, link_path), 0);
    assert_int_equal(mbox_append(a, path, LINE, &m, &p, &why), PERM);
    assert_int_equal(unlink(link_path), 0);
    assert_int_equal(mkdir(link_path, 0700), 0);
    assert_int_equal(mbox_append(a, link_path, LINE, &m, &p, &why), PERM);
    folder_remove(a, folder);
    arena_free(a);
}

static void
devices(void **state)
{
    struct arena *a = arena_new("test", 8 << 20);
    const char *folder = folder_new(a);
    const char *fifo = arena_fmt(a, "%s/fifo", folder);
    struct store_message m = message("", "x\n");
    struct mbox_policy p = ordinary();
    struct why why;

    (void)state;
    assert_int_equal(mbox_append(a, "/dev/null", LINE, &m, &p, &why), PERM);
    p.any_kind = true;
    p.any_owner = true;
    assert_int_equal(mbox_append(a, "/dev/null", LINE, &m, &p, &why), OK);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(mbox_append(a, fifo, LINE, &m, &p, &why), TEMP);
    folder_remove(a, folder);
    arena_free(a);
}

static void
make(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    const char *folder = folder_new(a);
    const char *path = arena_fmt(a, "%s/box", folder);
    struct why why;

    (void)state;
    assert_int_equal(mbox_make(path, geteuid(), getegid(), &why), OK);
    file_write(path, "kept");
    assert_int_equal(mbox_make(path, geteuid(), getegid(), &why), OK);
    assert_str(file_text(a, path), S("kept"));
    folder_remove(a, folder);
    arena_free(a);
}

TESTS(TEST(from_line), TEST(append), TEST(links), TEST(devices), TEST(make))
