#include "store/name.h"

#include "unit/test.h"

static const struct {
    const char *file, *base;
    unsigned flags;
    uint64_t keywords, size, vsize;
    int64_t made;
} cases[] = {
    {"1.M2P3.h,S=10,W=12:2,FS", "1.M2P3.h,S=10,W=12", FLAG_FLAGGED | FLAG_SEEN,
     0,                                                                                             10, 12, 1   },
    {"1700.x.h",                "1700.x.h",           0,                                         0, 0,  0,  1700},
    {"a:2,DRTacZ",              "a",                  FLAG_DRAFT | FLAG_ANSWERED | FLAG_DELETED, 5, 0,  0,  0   },
    {"a:1,FS",                  "a",                  0,                                         0, 0,  0,  0   },
    {"9.b,W=7,S=x",             "9.b,W=7,S=x",        0,                                         0, 0,  7,  9   },
};

static void
parsed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct name n;

        assert_true(name_parse(str_from(cases[i].file), &n));
        assert_str(n.base, str_from(cases[i].base));
        assert_int_equal(n.flags, cases[i].flags);
        assert_int_equal(n.keywords, cases[i].keywords);
        assert_int_equal(n.size, cases[i].size);
        assert_int_equal(n.vsize, cases[i].vsize);
        assert_int_equal(n.made, cases[i].made);
    }
}

static void
refused(void **state)
{
    static const char *const bad[] = {"", ".", "..", ".nfs1", ":2,S", "a\nb"};
    struct name n;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(name_parse(str_from(bad[i]), &n));
}

static void
changed(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct name n;

    (void)state;
    assert_true(name_parse(S("1.a"), &n));
    assert_string_equal(name_with(a, &n, FLAG_SEEN | FLAG_DRAFT, 3),
                        "1.a:2,DSab");
    /* What others mean by P stays. */
    assert_true(name_parse(S("1.a:2,PSTa"), &n));
    assert_string_equal(name_with(a, &n, FLAG_SEEN, 1ull << 40), "1.a:2,PS");
    arena_free(a);
}

static void
ordered(void **state)
{
    static const char *const names[] = {
        "9.M1P1.h", "10.M9P1.h", "10.M10P1.h", "10.M10P2.h", "x",
    };

    (void)state;
    for (size_t i = 0; i + 1 < COUNT(names) - 1; i++)
        assert_true(name_cmp(str_from(names[i]), str_from(names[i + 1])) < 0);
    assert_true(name_cmp(S("x"), S("9.M1P1.h")) < 0);
    assert_true(name_cmp(S("x"), S("x")) == 0);
}

TESTS(TEST(parsed), TEST(refused), TEST(changed), TEST(ordered))
