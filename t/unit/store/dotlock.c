#include "store/dotlock.h"

#include <sys/wait.h>
#include <utime.h>

#include "unit/store/folder.h"

#define LOCK "some.lock"

static struct {
    struct arena *a;
    const char *path, *lock;
    int dir;
    struct dotlock_file own;
    struct why why;
} at;

static int
enter(void **state)
{
    (void)state;
    at.a = arena_new("test", 1 << 20);
    at.path = folder_new(at.a);
    at.lock = arena_fmt(at.a, "%s/" LOCK, at.path);
    at.own = (struct dotlock_file){.path = arena_fmt(at.a, "%s/own", at.path)};
    at.dir = open(at.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return 0;
}

static int
leave(void **state)
{
    (void)state;
    close(at.dir);
    folder_remove(at.a, at.path);
    arena_free(at.a);
    return 0;
}

static const char *
signature(pid_t pid)
{
    char host[65];

    gethostname(host, sizeof host);
    return arena_fmt(at.a, "%d:%s", (int)pid, host);
}

static enum rc
take(struct dotlock_file *own, int64_t wait)
{
    return dotlock_take(at.dir, LOCK, own, wait, &at.why);
}

/* By a process of its own. */
static int
taken_by_another(int64_t wait)
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        _exit((int)take(NULL, wait));
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

static void
taken_and_dropped(void **state)
{
    (void)state;
    assert_int_equal(take(NULL, 0), OK);
    assert_str(file_text(at.a, at.lock), str_from(signature(getpid())));
    assert_int_equal(taken_by_another(5), TEMP);
    dotlock_drop(at.dir, LOCK);
    assert_int_equal(access(at.lock, F_OK), -1);
    assert_int_equal(taken_by_another(0), OK);
}

static void
the_same_file_again(void **state)
{
    const struct utimbuf old = {1000, 1000};
    struct stat first, st;

    (void)state;
    assert_int_equal(take(&at.own, 0), OK);
    assert_int_equal(stat(at.lock, &first), 0);
    assert_int_equal(taken_by_another(5), TEMP);
    dotlock_drop(at.dir, LOCK);
    assert_int_equal(utime(at.own.path, &old), 0);
    assert_int_equal(take(&at.own, 0), OK);
    assert_int_equal(stat(at.lock, &st), 0);
    assert_int_equal(st.st_ino, first.st_ino);
    assert_int_not_equal(st.st_mtime, 1000);
    assert_str(file_text(at.a, at.lock), str_from(signature(getpid())));
    dotlock_drop(at.dir, LOCK);

    /* Somebody else's lock; then its file is gone, and there once more. */
    file_write(at.lock, signature(getppid()));
    assert_int_equal(take(&at.own, 5), TEMP);
    unlink(at.lock);
    unlink(at.own.path);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(take(&at.own, 0), OK);
        assert_str(file_text(at.a, at.lock), str_from(signature(getpid())));
        dotlock_drop(at.dir, LOCK);
    }
    dotlock_file_remove(&at.own);
    assert_int_equal(access(at.own.path, F_OK), -1);
}

/* There each file has the group, and rights for it. */
static void
not_in_a_shared_folder(void **state)
{
    struct stat st;

    (void)state;
    assert_int_equal(chmod(at.path, 0770), 0);
    assert_int_equal(take(&at.own, 0), OK);
    assert_int_equal(stat(at.lock, &st), 0);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(st.st_mode & 0777, 0660);
}

static void
of_the_dead(void **state)
{
    pid_t pid = fork();

    (void)state;
    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
    file_write(at.lock, signature(pid));
    assert_int_equal(take(NULL, 0), OK);
}

/* Of nobody knows whom; of somebody who lives: no sooner than we have waited.
 */
static void
old(void **state)
{
    const struct utimbuf old = {1000, 1000};

    (void)state;
    file_write(at.lock, "1:elsewhere.test");
    assert_int_equal(take(NULL, 0), TEMP);
    assert_int_equal(utime(at.lock, &old), 0);
    assert_int_equal(take(NULL, 0), OK);
    file_write(at.lock, signature(getppid()));
    assert_int_equal(utime(at.lock, &old), 0);
    assert_int_equal(take(NULL, 0), TEMP);
    assert_int_equal(take(NULL, 5), OK);
}

static void
holder(struct dotlock_file *own, bool leaves_it)
{
    const char *file = arena_fmt(at.a, "%s/held", at.path);

    for (int n = 0; n < 50; n++) {
        if (take(own, 20000) != OK)
            _exit(1);
        int fd = open(file, O_CREAT | O_EXCL | O_RDWR, 0600);

        if (fd < 0 || close(fd) < 0 || unlink(file) < 0)
            _exit(2);
        if (n == 49 && leaves_it)
            _exit(0);
        dotlock_drop(at.dir, LOCK);
    }
    _exit(0);
}

/* Processes that take the lock for a moment never have it together, whatever
 * the first to be waited for leaves behind. */
static void
never_together(void **state)
{
    pid_t pids[4];

    (void)state;
    for (size_t i = 0; i < COUNT(pids); i++) {
        at.own.path = arena_fmt(at.a, "%s/own%zu", at.path, i);
        pids[i] = fork();
        if (pids[i] == 0)
            holder(i % 2 ? NULL : &at.own, i == 0);
    }
    for (size_t i = 0; i < COUNT(pids); i++) {
        int status;

        waitpid(pids[i], &status, 0);
        assert_int_equal(status, 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(taken_and_dropped, enter, leave),
        cmocka_unit_test_setup_teardown(the_same_file_again, enter, leave),
        cmocka_unit_test_setup_teardown(not_in_a_shared_folder, enter, leave),
        cmocka_unit_test_setup_teardown(of_the_dead, enter, leave),
        cmocka_unit_test_setup_teardown(old, enter, leave),
        cmocka_unit_test_setup_teardown(never_together, enter, leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
