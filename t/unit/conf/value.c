#include "conf/value.h"

#include "unit/test.h"

static void
times_have_units(void **state)
{
    static const struct {
        const char *text;
        char unit;
        int64_t ms; /* -1: refused */
    } cases[] = {
        {"30",         's', 30000        },
        {"30",         'm', 1800000      },
        {"5d",         's', 432000000    },
        {"1W",         's', 604800000    },
        {"0",          'd', 0            },
        {"2147483647", 's', 2147483647000},
        {"2147483648", 's', -1           },
        {"9999999w",   's', -1           },
        {"",           's', -1           },
        {"s",          's', -1           },
        {"1ms",        's', -1           },
        {"1h30m",      's', -1           },
        {"-1s",        's', -1           },
        {"1y",         's', -1           },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t ms = -1;
        bool good = value_time(str_from(cases[i].text), cases[i].unit, &ms);

        if (good != (cases[i].ms >= 0) || ms != cases[i].ms)
            fail_msg("%s: %lld", cases[i].text, (long long)ms);
    }
    assert_int_equal(value_unit(S("5d")), 'd');
    assert_int_equal(value_unit(S("0")), 's');
}

static void
others_are_strict(void **state)
{
    bool flag = false;
    int64_t n = 7;

    (void)state;
    assert_true(value_bool(S("YES"), &flag) && flag);
    assert_true(value_bool(S("no"), &flag) && !flag);
    assert_false(value_bool(S("true"), &flag));
    assert_false(value_bool(S(""), &flag));
    assert_true(value_int(S("-1"), &n) && n == -1);
    assert_true(value_int(S("10240000"), &n) && n == 10240000);
    assert_false(value_int(S("10k"), &n));
    assert_false(value_int(S(""), &n));
    assert_false(value_int(S("9223372036854775808"), &n));
    assert_int_equal(n, 10240000);
}

static void
words_may_be_in_braces(void **state)
{
    struct str list = S(" one, { two three { x } } , four"), word;
    struct str open = S("one { two");

    (void)state;
    assert_true(value_next(&list, &word));
    assert_true(str_eq(word, S("one")));
    assert_true(value_next(&list, &word));
    assert_true(str_eq(word, S("two three { x }")));
    assert_true(value_next(&list, &word));
    assert_true(str_eq(word, S("four")));
    assert_false(value_next(&list, &word));
    assert_int_equal(list.len, 0);
    assert_true(value_next(&open, &word));
    assert_false(value_next(&open, &word));
    assert_true(open.len > 0);
}

TESTS(TEST(words_may_be_in_braces), TEST(times_have_units),
      TEST(others_are_strict))
