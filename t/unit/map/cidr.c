/* Tables of networks. */
#include "unit/tables.h"

#define RULES                                                                  \
    "10.1.0.0/16  sixteen\n"                                                   \
    "10.0.0.0/8   ten\n"                                                       \
    "10.1.1.1/8   bad\n"                                                       \
    "300.1.1.1    bad\n"                                                       \
    "1.2.3.4\n"                                                                \
    "[::1]        six\n"                                                       \
    "2001:db8::/33 db8\n"                                                      \
    "[2001:db8:a000::]/35 brackets\n"                                          \
    "if 192.168.0.0/16\n"                                                      \
    "!192.168.1.0/24 other\n"                                                  \
    "if !192.168.1.7\n"                                                        \
    "192.168.1.1  one\n"                                                       \
    "endif\n"                                                                  \
    "endif\n"                                                                  \
    "endif\n"                                                                  \
    "if 300.0.0.0/8\n"                                                         \
    "0.0.0.0/0    hidden\n"                                                    \
    "endif\n"                                                                  \
    "172.16.0.0/12 private\n"

static void
answers(void **state)
{
    static const char *const cases[][2] = {
        {"10.1.2.3",         "sixteen" },
        {"10.2.2.3",         "ten"     },
        {"11.2.2.3",         NULL      },
        {"::1",              "six"     },
        {"[::1]",            NULL      },
        {"2001:DB8::5",      "db8"     },
        {"2001:db8:8000::5", NULL      },
        {"2001:db8:a000::5", "brackets"},
        {"192.168.2.1",      "other"   },
        {"192.168.1.1",      "one"     },
        {"192.168.1.7",      NULL      },
        {"172.31.255.255",   "private" },
        {"172.32.0.0",       NULL      },
        {"host.example.org", NULL      },
        {"",                 NULL      },
    };

    (void)state;
    put_file("c", RULES);
    struct map *m = map_open(spec("cidr", "c"), NULL);

    for (size_t i = 0; i < COUNT(cases); i++)
        assert_answer(m, cases[i][0], cases[i][1]);
}

static void
what_is_wrong_is_told(void **state)
{
    static const char *const texts[] = {
        "line 3: non-null host address bits in \"10.1.1.1/8\", perhaps you "
        "should use \"10.0.0.0/8\" instead: skipping this rule",
        "line 4: bad address pattern: \"300.1.1.1\": skipping this rule",
        "line 5: no lookup result: skipping this rule",
        "line 15: ignoring ENDIF without matching IF",
        "line 16: bad address pattern: \"300.0.0.0/8\": skipping all up to its "
        "endif",
    };

    (void)state;
    logged();
    put_file("d", RULES);
    map_open(spec("cidr", "d"), NULL);
    const char *log = logged();

    for (size_t i = 0; i < COUNT(texts); i++)
        if (!strstr(log, texts[i]))
            fail_msg("no \"%s\" in %s", texts[i], log);
}

static void
in_braces(void **state)
{
    struct map *m =
        map_open("cidr:{{1.2.3.4 OK}, {5.6.7.8/32 no},{::/0 x}}", NULL);

    (void)state;
    assert_answer(m, "1.2.3.4", "OK");
    assert_answer(m, "5.6.7.8", "no");
    assert_answer(m, "::ffff:1.2.3.4", "x");
    assert_true(map_is_pattern(m));
}

TESTS_WITHIN(set_up, tear_down, TEST(answers), TEST(what_is_wrong_is_told),
             TEST(in_braces))
