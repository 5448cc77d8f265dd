/* unionmap and pipemap. */
#include "unit/tables.h"

static void
answers(void **state)
{
    static const struct {
        const char *spec, *key, *want;
    } cases[] = {
        {"unionmap:{static:one,static:two}",                        "k", "one,two"},
        {"unionmap:{inline:{a=1},inline:{b=2},inline:{a=3}}",       "a", "1,3"    },
        {"unionmap:{inline:{a=1},inline:{b=2}}",                    "c", NULL     },
        {"unionmap:{inline:{a=1},fail:x}",                          "a", "TEMP"   },
        {"pipemap:{inline:{a=b},inline:{b=c}}",                     "a", "c"      },
        {"pipemap:{inline:{a=1},inline:{b=2}}",                     "a", NULL     },
        {"pipemap:{inline:{a=b},unionmap:{inline:{b=1},static:2}}", "a", "1,2"    },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_answer(map_open(cases[i].spec, NULL), cases[i].key,
                      cases[i].want);
}

static void
patterns_within_are_patterns(void **state)
{
    (void)state;
    assert_false(map_is_pattern(map_open("unionmap:{static:1}", NULL)));
    assert_true(
        map_is_pattern(map_open("unionmap:{static:1,pcre:{{/x/ y}}}", NULL)));
    assert_true(map_is_pattern(map_open("pipemap:{cidr:{{1.2.3.4 y}}}", NULL)));
}

TESTS_WITHIN(set_up, tear_down, TEST(answers),
             TEST(patterns_within_are_patterns))
