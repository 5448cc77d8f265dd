/* static, environ, fail and randmap tables. */
#include "unit/tables.h"

static void
answers(void **state)
{
    static const struct {
        const char *spec, *key, *want;
    } cases[] = {
        {"static:b",        "any",           "b"           },
        {"static:{ a b  }", "any",           "a b"         },
        {"environ:x",       "posta_test",    "from outside"},
        {"environ:x",       "posta_nothing", NULL          },
        {"fail:why",        "any",           "TEMP"        },
        {"randmap:{one}",   "any",           "one"         },
        {"randmap:{{a b}}", "any",           "{a b}"       },
    };

    (void)state;
    setenv("posta_test", "from outside", 1);
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_answer(map_open(cases[i].spec, NULL), cases[i].key,
                      cases[i].want);
    assert_logged("table fail:why: query error: why");
}

static void
randmap_takes_all_its_values(void **state)
{
    struct map *m = map_open("randmap:{a,b,c}", NULL);
    unsigned seen[3] = {0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        seen[ask(m, "x")[0] - 'a']++;
    assert_true(seen[0] > 200 && seen[1] > 200 && seen[2] > 200);
    assert_true(map_is_pattern(m));
}

TESTS_WITHIN(set_up, tear_down, TEST(answers),
             TEST(randmap_takes_all_its_values))
