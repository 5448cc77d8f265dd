/* Tables of regular expressions. */
#include "unit/tables.h"

#define RULES                                                                  \
    "/^a(b+)c$/ got $1 and ${1} and $(1) $$x\n"                                \
    "/^D/i case D\n"                                                           \
    "#/comment/ x\n"                                                           \
    "if /^in/\n"                                                               \
    "/x/ inx\n"                                                                \
    "if !/y/\n"                                                                \
    "/z/ z-not-y\n"                                                            \
    "endif\n"                                                                  \
    "endif\n"                                                                  \
    "|a/b| any delimiter\n"                                                    \
    "/esc\\/aped/ escaped\n"                                                   \
    "/(opt)?ional/ <$1>\n"                                                     \
    "/first.last/ dot\n"                                                       \
    "!/neg/ negated\n"

static void
answers(void **state)
{
    static const char *const cases[][2] = {
        {"ABBc",        "got BB and BB and BB $x"},
        {"Dx",          "case D"                 },
        {"dx",          "negated"                },
        {"inx",         "inx"                    },
        {"inz",         "z-not-y"                },
        {"inzy neg",    NULL                     },
        {"a/b",         "any delimiter"          },
        {"esc/aped",    "escaped"                },
        {"ional",       "<>"                     },
        {"OPTional",    "<OPT>"                  },
        {"first\nlast", "dot"                    },
        {"neg",         NULL                     },
        {"",            "negated"                },
    };
    static const char *const types[] = {"pcre", "regexp"};

    (void)state;
    put_file("r", RULES);
    for (size_t t = 0; t < COUNT(types); t++) {
        struct map *m = map_open(spec(types[t], "r"), NULL);

        assert_true(map_is_pattern(m));
        for (size_t i = 0; i < COUNT(cases); i++)
            assert_answer(m, cases[i][0], cases[i][1]);
    }
    assert_string_equal(logged(), "");
}

static void
flags(void **state)
{
    static const struct {
        const char *spec, *key, *want;
    } cases[] = {
        {"pcre:{{/a.b/ yes}}",        "A\nB", "yes"},
        {"pcre:{{/a.b/s yes}}",       "a\nb", NULL },
        {"pcre:{{/a.b/i yes}}",       "Axb",  NULL },
        {"pcre:{{/^b/ yes}}",         "a\nb", NULL },
        {"pcre:{{/^b/m yes}}",        "a\nb", "yes"},
        {"pcre:{{/a b/x yes}}",       "ab",   "yes"},
        {"pcre:{{/b/A yes}}",         "ab",   NULL },
        {"pcre:{{/b$/ yes}}",         "b\n",  "yes"},
        {"pcre:{{/b$/E yes}}",        "b\n",  NULL },
        {"pcre:{{/(a+)/U $1}}",       "aaa",  "a"  },
        {"pcre:{{/a/X yes}}",         "a",    "yes"},
        {"regexp:{{/^b/ yes}}",       "a\nb", NULL },
        {"regexp:{{/^b/m yes}}",      "a\nb", "yes"},
        {"regexp:{{/b$/ yes}}",       "b\n",  NULL },
        {"regexp:{{/a\\(b\\)/x $1}}", "AB",   "B"  },
        {"regexp:{{/a(b)/x yes}}",    "ab",   NULL },
        {"regexp:{{/a(b)/x yes}}",    "a(b)", "yes"},
        {"regexp:{{/m1/!/m2/ two}}",  "m1",   "two"},
        {"regexp:{{/m1/!/m2/ two}}",  "m1m2", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_answer(map_open(cases[i].spec, NULL), cases[i].key,
                      cases[i].want);
}

/* Nobody who only sends mail decides what is run or written. */
static void
fixed_tables_do_not_repeat_the_key(void **state)
{
    const char *spec = "pcre:{{/^a(.*)/ |cmd $1} {/^b(.*)/ |cmd $$1}}";
    struct map *m = map_open_fixed(spec, NULL);

    (void)state;
    assert_answer(m, "ax", NULL);
    assert_answer(m, "bx", "|cmd $1");
    assert_answer(map_open(spec, NULL), "ax", "|cmd x");
    m = map_open_fixed("unionmap:{pcre:{{/^a(.*)/ $1}},inline:{ax=y}}", NULL);
    assert_answer(m, "ax", "y");
}

static void
what_is_wrong_is_told(void **state)
{
    static const char *const texts[] = {
        "line 1: out of range replacement index \"2\": skipping this rule",
        "line 2: error in regex at offset 2: missing closing parenthesis: "
        "skipping this rule",
        "line 3: no replacement text: using empty string",
        "line 4: unknown regexp option \"z\": skipping this rule",
        "line 5: ignoring unrecognized request: skipping this rule",
        "line 6: $number found in negative match replacement text: skipping",
        "line 7: ignoring ENDIF without matching IF",
        "line 8: non-numeric replacement index \"a\"",
        "line 9: empty macro name: \"$\"",
        "line 10: truncated macro reference: \"${1\"",
        "line 11: out of range replacement index \"0\"",
        "line 12: no closing regexp delimiter \"/\"",
        "line 13: error in regex at offset 1: missing closing parenthesis: "
        "skipping all up to its endif",
        "line 16: unknown regexp option \"!\": skipping this rule",
        "line 17: IF has no matching ENDIF",
    };

    (void)state;
    put_file("w", "/(a)/ $2\n/a(/ bad\n/noresult/\n/foo/zz flag\n"
                  "nodelim x\n!/(a)b/ $1\nendif\n/y/ ${a}\n/z/ $\n"
                  "/w(x)/ ${1\n/v/ $0\n/open\nif /(/\n/secret/ out\nendif\n"
                  "/a/!/b/ x\nif /unclosed/\n/u/ u\n");
    logged();
    struct map *m = map_open(spec("pcre", "w"), NULL);
    const char *log = logged();

    for (size_t i = 0; i < COUNT(texts); i++)
        if (!strstr(log, texts[i]))
            fail_msg("no \"%s\" in %s", texts[i], log);
    assert_answer(m, "noresult", "");
    assert_answer(m, "secret", NULL);
    assert_answer(m, "u", NULL);
    assert_answer(m, "unclosed", "u");
}

/* What would take for ever ends, and nobody is let through for it. */
static void
a_costly_match_is_temp(void **state)
{
    static const char *const specs[] = {"pcre:{{/^(\\w+\\s?)*$/ x}}",
                                        "regexp:{{/^((a+)+)+$/ x}}"};
    char subject[101];

    (void)state;
    memset(subject, 'a', 100);
    subject[99] = '!';
    subject[100] = '\0';
    for (size_t i = 0; i < COUNT(specs); i++) {
        logged();
        assert_answer(map_open(specs[i], NULL), subject, "TEMP");
        assert_logged("line 1: match limit exceeded");
    }
}

TESTS_WITHIN(set_up, tear_down, TEST(answers), TEST(flags),
             TEST(what_is_wrong_is_told),
             TEST(fixed_tables_do_not_repeat_the_key),
             TEST(a_costly_match_is_temp))
