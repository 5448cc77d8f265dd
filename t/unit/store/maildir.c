#include "store/maildir.h"

#include <dirent.h>
#include <errno.h>
#include <sys/mman.h>

#include "unit/store/folder.h"

/* The one file in a folder; fails unless there are `count`. */
static const char *
only_file(struct arena *a, const char *folder, int count)
{
    DIR *d = opendir(folder);
    const char *found = NULL;
    int n = 0;

    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.') {
            found = arena_fmt(a, "%s/%s", folder, e->d_name);
            n++;
        }
    closedir(d);
    assert_int_equal(n, count);
    return found;
}

static void
save(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    const char *folder = folder_new(a);
    const char *path = arena_fmt(a, "%s/a/b/Maildir", folder);
    struct store_message m = message("Return-Path: <>\n", "A: b\n\ntext\n");
    struct stat st;
    struct why why;

    (void)state;
    assert_int_equal(maildir_save(a, path, path, &m, &why), OK);
    const char *file = only_file(a, arena_fmt(a, "%s/new", path), 1);

    assert_str(file_text(a, file), S("Return-Path: <>\nA: b\n\ntext\n"));
    assert_true(str_ends(str_from(file), S(",S=27,W=31")));
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    only_file(a, arena_fmt(a, "%s/tmp", path), 0);
    only_file(a, arena_fmt(a, "%s/cur", path), 0);
    assert_int_equal(maildir_save(a, path, path, &m, &why), OK);
    only_file(a, arena_fmt(a, "%s/new", path), 2);
    folder_remove(a, folder);
    arena_free(a);
}

/* Somebody removed it, or it was a copy of another Maildir. */
static void
lost_folder(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    const char *folder = folder_new(a);
    const char *path = arena_fmt(a, "%s/Maildir", folder);
    const char *new = arena_fmt(a, "%s/new", path);
    struct store_message m = message("", "text\n");
    struct why why;

    (void)state;
    assert_false(maildir_is_on(a, path, 0)); /* makes it */
    assert_int_equal(rmdir(new), 0);
    assert_int_equal(maildir_save(a, path, path, &m, &why), OK);
    only_file(a, new, 1);
    folder_remove(a, folder);
    arena_free(a);
}

/* The queue on another file system. */
static void
far_queue(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    const char *folder = folder_new(a);
    const char *path = arena_fmt(a, "%s/Maildir", folder);
    struct store_message m = {
        .fd = memfd_create("queue", 0), .head = S("A: b\n\n"), .to = 5};
    struct why why;

    (void)state;
    assert_int_equal(write(m.fd, "text\n", 5), 5);
    assert_int_equal(maildir_save(a, path, path, &m, &why), OK);
    assert_str(file_text(a, only_file(a, arena_fmt(a, "%s/new", path), 1)),
               S("A: b\n\ntext\n"));
    close(m.fd);
    folder_remove(a, folder);
    arena_free(a);
}

static void
troubles(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    const char *folder = folder_new(a);
    const char *path = arena_fmt(a, "%s/Maildir", folder);
    struct store_message m = message("", "text\n");
    struct why why;

    (void)state;
    m.to += 100; /* the queue file is shorter than that */
    assert_int_equal(maildir_save(a, path, path, &m, &why), TEMP);
    assert_non_null(strstr(why.text, "error writing message: "));
    only_file(a, arena_fmt(a, "%s/tmp", path), 0);
    only_file(a, arena_fmt(a, "%s/new", path), 0);

    file_write(arena_fmt(a, "%s/file", folder), "");
    path = arena_fmt(a, "%s/file/Maildir", folder);
    assert_int_equal(maildir_save(a, path, path, &m, &why), TEMP);
    assert_non_null(strstr(why.text, "create maildir file "));
    folder_remove(a, folder);
    arena_free(a);
}

static void
claim(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    const char *folder = folder_new(a);
    const char *path = arena_fmt(a, "%s/Maildir", folder);
    const char *queue = arena_fmt(a, "%s/queue", folder);
    struct stat st, linked;

    (void)state;
    file_write(queue, "content\n");
    auto_close int fd = open(queue, O_RDWR | O_CLOEXEC);

    assert_int_equal(fstat(fd, &st), 0);
    assert_true(maildir_is_on(a, path, st.st_dev));
    assert_false(maildir_is_on(a, path, st.st_dev + 1));
    assert_true(maildir_link(a, path, path, fd, st.st_size, 1));
    const char *file = only_file(a, arena_fmt(a, "%s/new", path), 1);

    assert_int_equal(stat(file, &linked), 0);
    assert_int_equal(linked.st_ino, st.st_ino);
    path = arena_fmt(a, "%s/nothing", folder);
    assert_false(maildir_link(a, path, path, fd, 1, 1));
    assert_int_equal(errno, ENOENT);
    folder_remove(a, folder);
    arena_free(a);
}

static void
root_of(struct arena *a, const char *top, const char *path, bool fs,
        const char *wanted)
{
    const char *root = maildir_root(a, arena_fmt(a, "%s%s", top, path), fs);

    assert_string_equal(root, arena_fmt(a, "%s%s", top, wanted));
}

static void
roots(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    const char *top = folder_new(a);

    (void)state;
    assert_int_equal(
        system(
            arena_fmt(a, "mkdir -p %s/box/cur %s/box/Lists/a/cur", top, top)),
        0);
    root_of(a, top, "/box", false, "/box");
    root_of(a, top, "/box//", false, "/box");
    root_of(a, top, "/box/.Lists.a/", false, "/box");
    root_of(a, top, "/box/Lists/a", false, "/box/Lists/a");
    root_of(a, top, "/box/", true, "/box");
    root_of(a, top, "/box/Lists/a/", true, "/box");
    root_of(a, top, "/box//Lists/a", true, "/box");
    root_of(a, top, "/box/Lists", true, "/box");
    root_of(a, top, "/box/to/be/made", true, "/box");
    root_of(a, top, "/nothing/yet", true, "/nothing/yet");
    if (geteuid() == 0) { /* what is above belongs to somebody else */
        assert_int_equal(
            chown(arena_fmt(a, "%s/box/Lists/a", top), 61300, 61300), 0);
        root_of(a, top, "/box/Lists/a", true, "/box/Lists/a");
    }
    folder_remove(a, top);
    arena_free(a);
}

TESTS(TEST(save), TEST(roots), TEST(lost_folder), TEST(far_queue),
      TEST(troubles), TEST(claim))
