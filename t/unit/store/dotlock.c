#include "store/dotlock.h"

#include <sys/wait.h>
#include <utime.h>

#include "unit/store/place.h"

#define LOCK "some.lock"

static const char *
lock_path(void)
{
    return arena_fmt(scratch, "%s/" LOCK, place.path);
}

static struct dotlock_file
own_file(void)
{
    const char *path = arena_fmt(scratch, "%s/own", place.path);

    return (struct dotlock_file){.path = path};
}

static const char *
signature(pid_t pid)
{
    char host[65];

    gethostname(host, sizeof host);
    return arena_fmt(scratch, "%d:%s", (int)pid, host);
}

static enum rc
take(struct dotlock_file *own, int64_t wait)
{
    struct why why;

    return dotlock_take(place.dir, LOCK, own, wait, &why);
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
    assert_str(file_text(scratch, lock_path()), str_from(signature(getpid())));
    assert_int_equal(taken_by_another(5), TEMP);
    dotlock_drop(place.dir, LOCK);
    assert_int_equal(access(lock_path(), F_OK), -1);
    assert_int_equal(taken_by_another(0), OK);
}

static void
the_same_file_again(void **state)
{
    const struct utimbuf old = {1000, 1000};
    struct dotlock_file own = own_file();
    struct stat first, st;

    (void)state;
    assert_int_equal(take(&own, 0), OK);
    assert_int_equal(stat(lock_path(), &first), 0);
    assert_int_equal(taken_by_another(5), TEMP);
    dotlock_drop(place.dir, LOCK);
    assert_int_equal(utime(own.path, &old), 0);
    assert_int_equal(take(&own, 0), OK);
    assert_int_equal(stat(lock_path(), &st), 0);
    assert_int_equal(st.st_ino, first.st_ino);
    assert_int_not_equal(st.st_mtime, 1000);
    assert_str(file_text(scratch, lock_path()), str_from(signature(getpid())));
    dotlock_drop(place.dir, LOCK);

    /* Somebody else's lock; then its file is gone, and there once more. */
    file_write(lock_path(), signature(getppid()));
    assert_int_equal(take(&own, 5), TEMP);
    unlink(lock_path());
    unlink(own.path);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(take(&own, 0), OK);
        assert_str(file_text(scratch, lock_path()),
                   str_from(signature(getpid())));
        dotlock_drop(place.dir, LOCK);
    }
    dotlock_file_remove(&own);
    assert_int_equal(access(own.path, F_OK), -1);
}

/* There each file has the group, and rights for it. */
static void
not_in_a_shared_folder(void **state)
{
    struct dotlock_file own = own_file();
    struct stat st;

    (void)state;
    assert_int_equal(chmod(place.path, 0770), 0);
    assert_int_equal(take(&own, 0), OK);
    assert_int_equal(stat(lock_path(), &st), 0);
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
    file_write(lock_path(), signature(pid));
    assert_int_equal(take(NULL, 0), OK);
}

/* Of nobody knows whom; of somebody who lives: no sooner than we have waited.
 */
static void
old(void **state)
{
    const struct utimbuf old = {1000, 1000};

    (void)state;
    file_write(lock_path(), "1:elsewhere.test");
    assert_int_equal(take(NULL, 0), TEMP);
    assert_int_equal(utime(lock_path(), &old), 0);
    assert_int_equal(take(NULL, 0), OK);
    file_write(lock_path(), signature(getppid()));
    assert_int_equal(utime(lock_path(), &old), 0);
    assert_int_equal(take(NULL, 0), TEMP);
    assert_int_equal(take(NULL, 5), OK);
}

static void
holder(struct dotlock_file *own, bool leaves_it)
{
    const char *file = arena_fmt(scratch, "%s/held", place.path);

    for (int n = 0; n < 50; n++) {
        if (take(own, 20000) != OK)
            _exit(1);
        int fd = open(file, O_CREAT | O_EXCL | O_RDWR, 0600);

        if (fd < 0 || close(fd) < 0 || unlink(file) < 0)
            _exit(2);
        if (n == 49 && leaves_it)
            _exit(0);
        dotlock_drop(place.dir, LOCK);
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
        struct dotlock_file own = {
            .path = arena_fmt(scratch, "%s/own%zu", place.path, i)};

        pids[i] = fork();
        if (pids[i] == 0)
            holder(i % 2 ? NULL : &own, i == 0);
    }
    for (size_t i = 0; i < COUNT(pids); i++) {
        int status;

        waitpid(pids[i], &status, 0);
        assert_int_equal(status, 0);
    }
}

TESTS(PLACE_TEST(taken_and_dropped), PLACE_TEST(the_same_file_again),
      PLACE_TEST(not_in_a_shared_folder), PLACE_TEST(of_the_dead),
      PLACE_TEST(old), PLACE_TEST(never_together))
