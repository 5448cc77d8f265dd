#include "base/arena.h"

#include <sys/wait.h>
#include <unistd.h>

#include "unit/test.h"

static bool
is_zero(const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i])
            return false;
    return true;
}

static void
allocations(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t size = 0; size < 300; size++) {
            char *p = arena_alloc(a, size);

            assert_int_equal((uintptr_t)p % 16, 0);
            assert_true(is_zero(p, size));
            memset(p, 0xaa, size);
        }
        arena_reset(a);
    }
    arena_free(a);
    arena_free(NULL);
}

/* What rests gives its blocks back, and nothing that is in use. */
static void
rests(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);
    size_t room = arena_room(a);

    (void)state;
    arena_rest(a);
    for (int i = 0; i < 10; i++)
        assert_true(is_zero(arena_alloc(a, 1000), 1000));

    char *last = arena_alloc(a, 1000);

    memset(last, 'x', 1000);
    arena_rest(a);
    assert_int_equal(last[999], 'x');
    arena_reset(a);
    arena_rest(a);
    assert_int_equal(arena_room(a), room);
    assert_true(is_zero(arena_alloc(a, 9000), 9000));
    arena_free(a);
}

static void
grows(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    char *p = arena_alloc(a, 10), *before = p;

    (void)state;
    memset(p, 'x', 10);
    p = arena_grow(a, p, 10, 100);
    assert_ptr_equal(p, before); /* the newest grows where it stands */
    assert_true(is_zero(p + 16, 84));

    char *other = arena_alloc(a, 1);

    p = arena_grow(a, p, 100, 200);
    assert_ptr_not_equal(p, before);
    assert_memory_equal(p, "xxxxxxxxxx", 10);
    assert_true(is_zero(p + 100, 100));
    assert_ptr_not_equal(other, p);
    p = arena_grow(a, p, 200, 100000);
    assert_memory_equal(p, "xxxxxxxxxx", 10);
    assert_non_null(arena_grow(a, NULL, 0, 10));
    arena_free(a);
}

static void
texts(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct str s = arena_str(a, S("a\0b"));

    (void)state;
    assert_str(s, S("a\0b"));
    assert_int_equal(s.p[3], '\0');
    assert_string_equal(arena_cstr(a, S("abc")), "abc");
    assert_string_equal(arena_cstr(a, str_from(NULL)), "");
    assert_str(arena_lower(a, S("AbC\xc4")), S("abc\xc4"));
    assert_string_equal(arena_fmt(a, "%d %s", 1, "x"), "1 x");
    assert_int_equal(strlen(arena_fmt(a, "%5000d", 1)), 5000);
    arena_free(a);
}

/* Whatever room a block has left when a text is printed. */
static void
printed(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    const char *text[3000];

    (void)state;
    for (int i = 0; i < 3000; i++)
        text[i] = arena_fmt(a, "%0*d", 1 + i % 99, 7);
    for (int i = 0; i < 3000; i++) {
        assert_int_equal(strlen(text[i]), 1 + i % 99);
        assert_int_equal(text[i][i % 99], '7');
    }
    arena_free(a);
}

static void
room(void **state)
{
    struct arena *a = arena_new("test", 100000);

    (void)state;
    assert_true(arena_room(a) >= 100000);
    arena_alloc(a, 60000);
    assert_true(arena_room(a) <= 40000);
    arena_reset(a);
    assert_true(arena_room(a) >= 100000);
    arena_free(a);
}

/* Over its limit an arena ends the process, with status 1. */
static void
limit(void **state)
{
    int status;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        struct arena *a = arena_new("small", 100000);

        close(2);
        for (int i = 0; i < 1000; i++)
            arena_alloc(a, 1000);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static void
wiping_overwrites(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct str secret = arena_str(a, S("secret"));
    static const char zero[6];

    (void)state;
    arena_wipe(a);
    /* The newest block is kept. */
    assert_memory_equal(secret.p, zero, sizeof zero);
    assert_ptr_equal(arena_alloc(a, 6), secret.p);
    arena_free(a);
}

TESTS(TEST(wiping_overwrites), TEST(allocations), TEST(rests), TEST(grows),
      TEST(texts), TEST(printed), TEST(room), TEST(limit))
