#include "base/buf.h"

#include "unit/test.h"

static void
adds(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct buf b = buf_in(a);

    (void)state;
    assert_str(buf_str(&b), S(""));
    buf_add(&b, S("ab"));
    buf_add(&b, str_from(NULL));
    buf_addc(&b, '\0');
    buf_fmt(&b, "%d%s", 42, "x");
    assert_str(buf_str(&b), S("ab\00042x"));
    assert_int_equal(b.p[b.len], '\0');
    buf_reset(&b);
    assert_str(buf_str(&b), S(""));
    buf_num(&b, 0);
    buf_num(&b, UINT64_MAX);
    assert_str(buf_str(&b), S("018446744073709551615"));
    arena_free(a);
}

static void
grows(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct buf b = buf_in(a), other = buf_in(a);

    (void)state;
    for (int i = 0; i < 1000; i++) {
        buf_addc(&b, (char)('a' + i % 26));
        buf_addc(&other, '.');
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(b.p[i], 'a' + i % 26);
    buf_fmt(&b, "%3000d", 7);
    assert_int_equal(b.len, 4000);
    assert_int_equal(buf_str(&b).p[3999], '7');
    buf_reset(&other);
    for (int i = 0; i < 3000; i++)
        buf_fmt(&other, "%d.", i % 7);
    assert_int_equal(other.len, 6000);
    for (int i = 0; i < 3000; i++)
        assert_int_equal(other.p[2 * i], '0' + i % 7);
    arena_free(a);
}

static void
spaces(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct buf b = buf_in(a);

    (void)state;
    memcpy(buf_space(&b, 3), "abc", 3);
    b.len += 2;
    assert_str(buf_str(&b), S("ab"));
    memset(buf_space(&b, 500), 'x', 500);
    b.len += 500;
    assert_int_equal(buf_str(&b).len, 502);
    arena_free(a);
}

TESTS(TEST(adds), TEST(grows), TEST(spaces))
