#include "store/lock.h"

#include <sys/file.h>
#include <utime.h>

#include "unit/store/folder.h"

static void
words(void **state)
{
    static const struct {
        const char *list;
        unsigned kinds;
    } cases[] = {
        {"fcntl, dotlock", LOCK_FCNTL | LOCK_DOT  },
        {"FLOCK",          LOCK_FLOCK             },
        {"fcntl flock",    LOCK_FCNTL | LOCK_FLOCK},
        {"",               0                      },
        {"fcntl,hope",     0                      },
    };
    struct why why;
    unsigned kinds;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum rc rc = lock_parse(cases[i].list, &kinds, &why);

        assert_int_equal(rc == OK ? kinds : 0, cases[i].kinds);
    }
}

struct place {
    struct arena *a;
    const char *folder, *path, *dot;
    int fd;
};

static struct place
place_new(void)
{
    struct place p = {.a = arena_new("test", 1 << 20)};

    p.folder = folder_new(p.a);
    p.path = arena_fmt(p.a, "%s/box", p.folder);
    p.dot = arena_fmt(p.a, "%s.lock", p.path);
    file_write(p.path, "");
    p.fd = open(p.path, O_RDWR | O_CLOEXEC);
    return p;
}

static void
place_end(struct place *p)
{
    close(p->fd);
    folder_remove(p->a, p->folder);
    arena_free(p->a);
}

static const struct lock_policy both = {
    .kinds = LOCK_FCNTL | LOCK_DOT, .attempts = 2, .delay = 1, .stale = 500000};

static void
taken(void **state)
{
    struct place p = place_new();
    auto_close int other = open(p.path, O_RDWR | O_CLOEXEC);
    struct why why;
    bool dot, dot2;

    (void)state;
    assert_int_equal(lock_take(p.a, p.fd, p.path, &both, &dot, &why), OK);
    assert_true(dot);
    assert_int_equal(access(p.dot, F_OK), 0);
    assert_int_equal(lock_take(p.a, other, p.path, &both, &dot2, &why), TEMP);
    assert_string_equal(why.dsn, "4.2.0");
    lock_remove_dot(p.a, p.path);
    assert_int_equal(access(p.dot, F_OK), -1);
    place_end(&p);
}

static void
dot_of_another(void **state)
{
    struct place p = place_new();
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    auto_close int other = open(p.path, O_RDWR | O_CLOEXEC);
    struct why why;
    bool dot;

    (void)state;
    file_write(p.dot, "1\n");
    assert_int_equal(lock_take(p.a, p.fd, p.path, &both, &dot, &why), TEMP);
    assert_false(dot);
    assert_int_equal(access(p.dot, F_OK), 0);

    /* The kernel's lock was let go of. */
    assert_int_equal(fcntl(other, F_OFD_SETLK, &all), 0);
    all.l_type = F_UNLCK;
    assert_int_equal(fcntl(other, F_OFD_SETLK, &all), 0);

    /* Older than stale_lock_time. */
    assert_int_equal(utime(p.dot, &(struct utimbuf){1000, 1000}), 0);
    assert_int_equal(lock_take(p.a, p.fd, p.path, &both, &dot, &why), OK);
    assert_true(dot);
    place_end(&p);
}

static void
dot_impossible(void **state)
{
    struct place p = place_new();
    const char *path = arena_fmt(p.a, "%s/nothing/box", p.folder);
    struct lock_policy policy = both;
    struct why why;
    bool dot;

    (void)state;
    assert_int_equal(lock_take(p.a, p.fd, path, &policy, &dot, &why), TEMP);
    policy.dot_may_fail = true;
    assert_int_equal(lock_take(p.a, p.fd, path, &policy, &dot, &why), OK);
    assert_false(dot);
    place_end(&p);
}

TESTS(TEST(words), TEST(taken), TEST(dot_of_another), TEST(dot_impossible))
