#include "base/str.h"

#include "unit/test.h"

static void
views(void **state)
{
    struct str s = S("abc"), none = str_from(NULL);

    (void)state;
    assert_str(str_sub(s, 1, 1), S("b"));
    assert_str(str_sub(s, 1, 100), S("bc"));
    assert_str(str_sub(s, 100, 1), S(""));
    assert_str(str_sub(s, 2, SIZE_MAX), S("c"));
    assert_null(none.p);
    assert_int_equal(none.len, 0);
    assert_null(str_sub(none, 0, 5).p);
}

static void
comparisons(void **state)
{
    (void)state;
    assert_true(str_eq(S("a\0b"), S("a\0b")));
    assert_false(str_eq(S("a"), S("ab")));
    assert_true(str_eq(str_from(NULL), S("")));
    assert_true(str_ieq(S("AbC"), S("aBc")));
    assert_false(str_ieq(S("\xc4"), S("\xe4"))); /* ASCII only */
    assert_false(str_ieq(S("["), S("{")));
    assert_true(str_cmp(S("a"), S("b")) < 0);
    assert_true(str_cmp(S("ab"), S("a")) > 0);
    assert_int_equal(str_cmp(S(""), str_from(NULL)), 0);
    assert_true(str_cmp(S("\xff"), S("a")) > 0);
    assert_true(str_starts(S("abc"), S("ab")));
    assert_true(str_starts(S("abc"), S("")));
    assert_false(str_starts(S("a"), S("ab")));
    assert_true(str_istarts(S("ABc"), S("ab")));
    assert_true(str_ends(S("abc"), S("bc")));
    assert_false(str_ends(S("c"), S("bc")));
    assert_true(str_iends(S("aBC"), S("bc")));
}

static void
skips(void **state)
{
    struct str s = S("To: x");

    (void)state;
    assert_false(str_skip(&s, S("TO:")));
    assert_true(str_iskip(&s, S("TO:")));
    assert_str(s, S(" x"));
    assert_true(str_skip(&s, S(" ")));
    assert_str(s, S("x"));
}

static void
finds(void **state)
{
    (void)state;
    assert_int_equal(str_find(S("abab"), 'b'), 1);
    assert_int_equal(str_rfind(S("abab"), 'b'), 3);
    assert_int_equal(str_find(S("abab"), 'c'), -1);
    assert_int_equal(str_find(str_from(NULL), 'c'), -1);
    assert_int_equal(str_rfind(str_from(NULL), 'c'), -1);
    assert_int_equal(str_search(S("abab"), S("ba")), 1);
    assert_int_equal(str_search(S("abab"), S("bb")), -1);
    assert_int_equal(str_search(str_from(NULL), S("b")), -1);
    assert_int_equal(str_find(S("a\0b"), '\0'), 1);
}

static void
cuts(void **state)
{
    struct str s = S("a,,b"), head;

    (void)state;
    assert_true(str_cut(&s, ',', &head));
    assert_str(head, S("a"));
    assert_true(str_cut(&s, ',', &head));
    assert_str(head, S(""));
    assert_false(str_cut(&s, ',', &head));
    assert_str(head, S("b"));
    assert_str(s, S(""));
    assert_false(str_cut(&s, ',', NULL));
    s = S("x=");
    assert_true(str_cut(&s, '=', NULL));
    assert_str(s, S(""));
}

static void
words(void **state)
{
    struct str s = S(" ,a\tb, "), w;

    (void)state;
    assert_true(str_word(&s, " ,\t", &w));
    assert_str(w, S("a"));
    assert_true(str_word(&s, " ,\t", &w));
    assert_str(w, S("b"));
    assert_false(str_word(&s, " ,\t", &w));
    s = S("a\0b c"); /* NUL is no separator */
    assert_true(str_word(&s, " ", &w));
    assert_int_equal(w.len, 3);
}

static void
trims(void **state)
{
    (void)state;
    assert_str(str_trim(S(" \t\r\na b\r\n ")), S("a b"));
    assert_str(str_trim(S("  ")), S(""));
}

static void
numbers(void **state)
{
    static const struct {
        const char *text;
        bool decimal, hex;
        uint64_t d, h;
    } rows[] = {
        {"0",                    1, 1, 0,                 0         },
        {"10",                   1, 1, 10,                16        },
        {"007",                  1, 1, 7,                 7         },
        {"fF",                   0, 1, 0,                 255       },
        {"18446744073709551615", 1, 0, UINT64_MAX,        0         },
        {"18446744073709551616", 0, 0, 0,                 0         },
        {"ffffffffffffffff",     0, 1, 0,                 UINT64_MAX},
        {"10000000000000000",    1, 0, 10000000000000000, 0         },
        {"",                     0, 0, 0,                 0         },
        {"-1",                   0, 0, 0,                 0         },
        {"+1",                   0, 0, 0,                 0         },
        {" 1",                   0, 0, 0,                 0         },
        {"1 ",                   0, 0, 0,                 0         },
        {"0x1",                  0, 0, 0,                 0         },
        {"g",                    0, 0, 0,                 0         },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str s = str_from(rows[i].text);
        uint64_t v = 0;

        if (str_num(s, &v) != rows[i].decimal || v != rows[i].d)
            fail_msg("%s", rows[i].text);
        v = 0;
        if (str_hex(s, &v) != rows[i].hex || v != rows[i].h)
            fail_msg("%s", rows[i].text);
    }
}

static void
classes(void **state)
{
    (void)state;
    for (int i = -128; i < 128; i++) {
        char c = (char)i;
        bool lower = i >= 'a' && i <= 'z', upper = i >= 'A' && i <= 'Z';

        assert_int_equal(is_alpha(c), lower || upper);
        assert_int_equal(is_digit(c), i >= '0' && i <= '9');
        assert_int_equal(is_alnum(c), is_alpha(c) || is_digit(c));
        assert_int_equal(is_space(c),
                         i == ' ' || i == '\t' || i == '\r' || i == '\n');
        assert_int_equal(to_lower(c), upper ? i + 32 : i);
        assert_int_equal(to_upper(c), lower ? i - 32 : i);
    }
}

TESTS(TEST(views), TEST(comparisons), TEST(skips), TEST(finds), TEST(cuts),
      TEST(words), TEST(trims), TEST(numbers), TEST(classes))
