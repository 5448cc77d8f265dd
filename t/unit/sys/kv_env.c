#include "sys/kv_env.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

#include "unit/test.h"

static struct {
    struct arena *a;
    char *path;
} at;

static struct kv_env *
opened(bool want_fresh)
{
    struct kv_env *e;
    struct why why;
    bool fresh;

    assert_int_equal(kv_env_open(at.path, &e, &fresh, &why), OK);
    assert_int_equal(fresh, want_fresh);
    return e;
}

static void
put(struct kv_env *e, const char *key, const char *value)
{
    struct why why;

    assert_int_equal(kv_env_write(e, &why), OK);
    kv_env_put(e, str_from(key), str_from(value));
    assert_int_equal(kv_env_commit(e, &why), OK);
}

static bool
has(struct kv_env *e, const char *key, const char *value)
{
    struct str got;
    struct why why;

    kv_env_read(e);
    bool found =
        kv_env_get(e, str_from(key), &got) && str_eq(got, str_from(value));

    assert_int_equal(kv_env_end(e, &why), OK);
    return found;
}

static int
enter(void **state)
{
    (void)state;
    at.a = arena_new("test", 1 << 20);
    at.path = arena_fmt(at.a, "/tmp/posta-kv-XXXXXX");
    assert_non_null(mkdtemp(at.path));
    return 0;
}

static int
leave(void **state)
{
    (void)state;
    assert_int_equal(system(arena_fmt(at.a, "rm -rf %s", at.path)), 0);
    arena_free(at.a);
    return 0;
}

static void
kept(void **state)
{
    struct kv_env *e = opened(true);
    struct why why;

    (void)state;
    put(e, "a", "1");
    assert_true(kv_env_dirty(e));
    assert_int_equal(kv_env_sync(e, &why), OK);
    assert_false(kv_env_dirty(e));
    put(e, "b", "2");
    kv_env_close(e);
    e = opened(false);
    assert_true(has(e, "a", "1"));
    assert_true(has(e, "b", "2"));
    assert_int_equal(kv_env_write(e, &why), OK);
    kv_env_put(e, S("a"), S("3"));
    kv_env_abort(e);
    assert_true(has(e, "a", "1"));
    kv_env_close(e);
}

static void
walks(void **state)
{
    static const char *const keys[] = {"a1", "b1", "b2", "b3", "c1"};
    struct kv_env *e = opened(true);
    struct why why;
    struct kv_walk w;
    char found[10] = "";

    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++)
        put(e, keys[i], "x");

    kv_env_read(e);
    kv_walk_begin(&w, e, S("b"), S("b2"));
    while (kv_walk_next(&w))
        strncat(found, w.key.p + 1, 1);
    assert_string_equal(found, "23");
    assert_true(kv_walk_last(&w));
    assert_str(w.key, S("b3"));
    kv_walk_end(&w);
    kv_walk_begin(&w, e, S("c"), S("c"));
    assert_true(kv_walk_last(&w));
    assert_str(w.key, S("c1"));
    kv_walk_end(&w);
    kv_walk_begin(&w, e, S("d"), S("d"));
    assert_false(kv_walk_last(&w));
    kv_walk_end(&w);
    assert_int_equal(kv_env_end(e, &why), OK);

    /* All of b: the second is gone, the others changed, and none missed. */
    assert_int_equal(kv_env_write(e, &why), OK);
    kv_walk_begin(&w, e, S("b"), S("b"));
    for (int n = 1; kv_walk_next(&w); n++)
        if (n == 2)
            kv_walk_del(&w);
        else
            kv_walk_set(&w, S("longer"));
    kv_walk_end(&w);
    assert_int_equal(kv_env_commit(e, &why), OK);
    assert_true(has(e, "b1", "longer"));
    assert_false(has(e, "b2", "x"));
    assert_true(has(e, "b3", "longer"));
    kv_env_close(e);
}

/* A child does something to the environment; tells how it ended. */
static int
child(void (*run)(void))
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        run();
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return status;
}

static void
write_and_die(void)
{
    struct kv_env *e;
    struct why why;
    bool fresh;

    if (kv_env_open(at.path, &e, &fresh, &why) != OK ||
        kv_env_write(e, &why) != OK)
        _exit(1);
    kv_env_put(e, S("c"), S("3"));
    if (kv_env_commit(e, &why) != OK || kv_env_write(e, &why) != OK)
        _exit(1);
    kv_env_put(e, S("c"), S("4"));
    raise(SIGKILL);
}

/* What was committed outlives its process; the lock does not. */
static void
killed(void **state)
{
    (void)state;
    assert_int_equal(child(write_and_die), SIGKILL);
    struct kv_env *e = opened(false);

    assert_true(has(e, "c", "3"));

    /* While another one has it open. */
    assert_int_equal(child(write_and_die), SIGKILL);
    put(e, "d", "5");
    assert_true(has(e, "d", "5"));
    kv_env_close(e);
}

/* And not in the same tick of the file system's clock as who wrote last. */
static void
scribble(off_t from)
{
    const char *data = arena_fmt(at.a, "%s/data.mdb", at.path);
    auto_close int fd = open(data, O_RDWR | O_CLOEXEC);
    char junk[4096];

    memset(junk, 0x5a, sizeof junk);
    assert_int_equal(pwrite(fd, junk, sizeof junk, from), sizeof junk);
    assert_int_equal(utime(data, &(struct utimbuf){1000, 1000}), 0);
}

static void
damaged(void **state)
{
    struct kv_env *e = opened(true);

    (void)state;
    put(e, "a", "1");
    kv_env_close(e);
    scribble(8192);
    e = opened(true);
    put(e, "a", "1");
    kv_env_close(e);

    /* A process died in it, perhaps of the damage. */
    assert_int_equal(child(write_and_die), SIGKILL);
    for (off_t page = 2; page < 6; page++)
        scribble(page * 4096);
    e = opened(true);
    put(e, "a", "1");
    kv_env_close(e);
    assert_int_equal(truncate(arena_fmt(at.a, "%s/data.mdb", at.path), 5000),
                     0);
    e = opened(true);
    put(e, "a", "1");
    kv_env_close(e);
    e = opened(false);
    kv_env_close(e);
}

/* As after a power cut: the mark says that another system wrote last. */
static void
other_boot(void **state)
{
    const char *file = arena_fmt(at.a, "%s/state", at.path);

    (void)state;
    assert_int_equal(child(write_and_die), SIGKILL);
    auto_close int fd = open(file, O_RDWR | O_CLOEXEC);

    assert_int_equal(pwrite(fd, "another", 7, 16), 7);
    kv_env_close(opened(true));
}

static void
removed(void **state)
{
    struct kv_env *e = opened(true), *f;
    struct why why;

    (void)state;
    put(e, "a", "1");
    assert_int_equal(system(arena_fmt(at.a, "rm -r %s", at.path)), 0);
    assert_true(has(e, "a", "1"));
    assert_int_equal(kv_env_write(e, &why), TEMP);
    assert_true(kv_env_gone(e));
    assert_true(kv_env_salvage(e));
    assert_true(has(e, "a", "1"));
    kv_env_salvaged(e, true);
    assert_false(kv_env_salvage(e));
    kv_env_close(e);
    f = opened(true);
    put(f, "a", "2");
    kv_env_close(f);
}

/* Another process that has the environment open while its files go away. */
struct other {
    pid_t pid;
    int go;
};

/* It writes, waits, finds the environment gone, saves what only it knows if
 * that is left to it, and finds in the new one what we wrote. */
static _Noreturn void
be_other(int said, int go, bool saves)
{
    struct kv_env *e = opened(true);
    char c = 0;

    put(e, "a", "1");
    assert_int_equal(write(said, &c, 1) + read(go, &c, 1), 2);
    assert_true(kv_env_gone(e));
    assert_int_equal(kv_env_salvage(e), saves);
    if (saves) {
        assert_true(has(e, "a", "1"));
        kv_env_salvaged(e, true);
        assert_false(kv_env_salvage(e));
    }
    kv_env_close(e);
    e = opened(false);
    _exit(has(e, "a", "2") ? 0 : 1);
}

static struct other
other_begins(bool saves)
{
    int go[2], said[2];
    char c;

    assert_int_equal(pipe(go) + pipe(said), 0);
    pid_t pid = fork();

    if (pid == 0)
        be_other(said[1], go[0], saves);
    assert_int_equal(read(said[0], &c, 1), 1);
    return (struct other){pid, go[1]};
}

static void
other_ends(struct other o)
{
    int status;

    assert_int_equal(write(o.go, "", 1), 1);
    assert_int_equal(waitpid(o.pid, &status, 0), o.pid);
    assert_int_equal(status, 0);
}

/* Who comes when the files are gone makes new ones, and leaves it to those who
 * have the old ones open to save what only they know. */
static void
removed_and_made(void **state)
{
    struct other o = other_begins(true);
    struct kv_env *e;
    struct why why;

    (void)state;
    assert_int_equal(unlink(arena_fmt(at.a, "%s/data.mdb", at.path)), 0);
    e = opened(true);
    put(e, "a", "2");
    other_ends(o);
    assert_int_equal(kv_env_write(e, &why), OK);
    kv_env_abort(e);
    kv_env_close(e);
}

/* Who has it open, too, need not look: it is gone for him when its contents
 * have been saved, and the files that are there now are nobody's. */
static void
removed_for_all(void **state)
{
    struct other o = other_begins(false);
    struct kv_env *e;
    struct why why;

    (void)state;
    e = opened(false);
    assert_int_equal(
        system(arena_fmt(at.a, "cd %s && echo rubbish > x && mv x data.mdb",
                         at.path)),
        0);
    assert_int_equal(kv_env_write(e, &why), TEMP);
    assert_true(kv_env_salvage(e));
    kv_env_salvaged(e, true);
    kv_env_close(e);
    e = opened(true);
    put(e, "a", "2");
    other_ends(o);
    kv_env_close(e);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, enter, leave)

TESTS(CASE(kept), CASE(walks), CASE(killed), CASE(damaged), CASE(other_boot),
      CASE(removed), CASE(removed_and_made), CASE(removed_for_all))
