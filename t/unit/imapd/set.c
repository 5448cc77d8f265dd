#include "imapd/set.h"

#include "unit/test.h"

static struct arena *arena;

static struct str
resolved(const struct seq_range *ranges, size_t count, uint32_t last)
{
    struct seq_set sent = {.at = (struct seq_range *)(uintptr_t)ranges,
                           .count = count};
    struct seq_set set = set_resolve(arena, &sent, last);
    struct buf b = buf_in(arena);

    set_put(&set, &b);
    return buf_str(&b);
}

#define RANGES(...)                                                            \
    (struct seq_range[]){__VA_ARGS__},                                         \
        COUNT(((struct seq_range[]){__VA_ARGS__}))

static void
resolves(void **state)
{
    (void)state;
    arena = arena_new("test", 1 << 20);
    assert_str(resolved(RANGES({3, 3}, {1, 2}), 9), S("1:3"));
    assert_str(resolved(RANGES({5, 2}, {4, 7}, {9, 9}), 9), S("2:7,9"));
    assert_str(resolved(RANGES({0, 0}), 9), S("9"));
    assert_str(resolved(RANGES({0, 4}), 9), S("4:9"));
    assert_str(resolved(RANGES({12, 0}), 9), S("9:12"));
    assert_str(resolved(RANGES({12, 0}, {3, 3}), 0), S("3"));
    assert_str(resolved(RANGES({1, UINT32_MAX}, {UINT32_MAX, UINT32_MAX}), 1),
               S("1:4294967295"));
    assert_str(resolved(RANGES({1, 1}, {1, 1}), 1), S("1"));
    arena_free(arena);
}

static void
asks(void **state)
{
    struct seq_range ranges[] = {
        {2,  4         },
        {7,  7         },
        {10, UINT32_MAX}
    };
    struct seq_set set = {.at = ranges, .count = COUNT(ranges)};

    (void)state;
    for (uint32_t n = 1; n < 12; n++)
        assert_int_equal(set_has(&set, n),
                         (n >= 2 && n <= 4) || n == 7 || n >= 10);
    assert_true(set_has(&set, UINT32_MAX));
    assert_int_equal(set_count(&set), 4 + (uint64_t)UINT32_MAX - 9);
    assert_int_equal(set_highest(&set), UINT32_MAX);
    set.count = 0;
    assert_false(set_has(&set, 1));
    assert_int_equal(set_highest(&set), 0);
}

static void
writes(void **state)
{
    static const uint32_t numbers[] = {1, 2, 3, 7, 5, 6, UINT32_MAX};
    struct buf b;
    struct set_writer w;

    (void)state;
    arena = arena_new("test", 1 << 20);
    b = buf_in(arena);
    w = (struct set_writer){.out = &b};
    for (size_t i = 0; i < COUNT(numbers); i++)
        set_write(&w, numbers[i]);
    set_write_end(&w);
    assert_str(buf_str(&b), S("1:3,7,5:6,4294967295"));
    arena_free(arena);
}

TESTS(TEST(resolves), TEST(asks), TEST(writes))
