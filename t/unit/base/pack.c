#include "base/pack.h"

#include "unit/test.h"

static void
numbers(void **state)
{
    static const int64_t values[] = {
        0,   1,    -1,   63,        64,        -64,       -65,      127,
        128, 8191, 8192, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
    struct arena *a = arena_new("test", 1 << 16);
    struct buf b = buf_in(a);
    int64_t v;

    (void)state;
    for (size_t i = 0; i < COUNT(values); i++)
        pack_num(&b, values[i]);

    struct str all = buf_str(&b);

    for (size_t i = 0; i < COUNT(values); i++) {
        assert_true(unpack_num(&all, &v));
        assert_true(v == values[i]);
    }
    assert_int_equal(all.len, 0);
    assert_false(unpack_num(&all, &v));
    arena_free(a);
}

static void
texts(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);
    struct buf b = buf_in(a);
    struct str t;

    (void)state;
    pack_text(&b, S(""));
    pack_text(&b, S("a\0b"));
    pack_text(&b, str_from(NULL));

    struct str all = buf_str(&b);

    assert_true(unpack_text(&all, &t));
    assert_str(t, S(""));
    assert_true(unpack_text(&all, &t));
    assert_str(t, S("a\0b"));
    assert_true(unpack_text(&all, &t));
    assert_int_equal(all.len, 0);
    arena_free(a);
}

/* Every cut of a good packing is refused, and so is nonsense. */
static void
refusals(void **state)
{
    static const struct str bad[] = {
        {"\x80",                                         1 },
        {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",     10}, /* over 64 bits */
    };
    struct arena *a = arena_new("test", 1 << 16);
    struct buf b = buf_in(a);
    int64_t v;
    struct str t;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct str s = bad[i];

        assert_false(unpack_num(&s, &v));
    }
    pack_text(&b, S("0123456789"));
    for (size_t len = 0; len < b.len; len++) {
        struct str s = {b.p, len};

        assert_false(unpack_text(&s, &t));
    }
    buf_reset(&b);
    pack_num(&b, -5);

    struct str s = buf_str(&b);

    assert_false(unpack_text(&s, &t));
    arena_free(a);
}

TESTS(TEST(numbers), TEST(texts), TEST(refusals))
