#include "conf/expand.h"

#include "unit/test.h"

/* What Postfix 3.7 makes of these; NULL: an error there too. */
static const struct {
    const char *raw, *want;
} cases[] = {
    {"plain",                                   "plain"        },
    {"$smtp",                                   "smtp"         },
    {"$(smtp)-$smtp-",                          "smtp-smtp-"   },
    {"x$undefined.y",                           "x.y"          },
    {"cost $$5",                                "cost $5"      },
    {"$$$smtp",                                 "$smtp"        },
    {"${smtp }",                                "smtp"         },
    {"$(smtp?yes)",                             "yes"          },
    {"${refers?{yes}:{no}}",                    "yes"          },
    {"${empty?{yes}:{no}}",                     "no"           },
    {"${ smtp ? {x} : {y} }z",                  "xz"           },
    {"${smtp:foo bar}",                         ""             },
    {"${undefined:foo bar}",                    "foo bar"      },
    {"${smtp?foo {x} bar}",                     "foo {x} bar"  },
    {"${smtp?foo $empty $smtp bar}",            "foo  smtp bar"},
    {"${smtp?}",                                ""             },
    {"${smtp?a:b}",                             "a:b"          },
    {"${smtp?{a}:b}c",                          "ac"           },
    {"${empty?{a}:b {c} }|",                    "b {c} |"      },
    {"${smtp:{a}}",                             ""             },
    {"${{1} == {1}}",                           "true"         },
    {"${{1} == {2}}",                           ""             },
    {"${{10} > {9} ? {num} : {str}}",           "num"          },
    {"${{a10} > {a9} ? {num} : {str}}",         "str"          },
    {"${{01} == {1} ? {num} : {no}}",           "num"          },
    {"${{-1} < {1} ? {num} : {no}}",            "num"          },
    {"${{  1 } == {1} ? {same} : {no}}",        "no"           },
    {"${{$refers}=={}?{empty}:{full}}",         "empty"        },
    {"${{a} == {b} ? x : y}",                   ""             },
    {"${{a} == {b} : y}",                       " y"           },
    {"${{3.10} >level {3.9} ? {level} : {no}}", "level"        },
    {"${{3}==level{3.0}?{x}:{y}}",              "x"            },
    {"${{6} <level {3.6} ? {a} : {b}}",         "b"            },
    {"${{3} <=level {3.6} ? {a} : {b}}",        "a"            },
    {"${{3} >=level {3.0} ? {a} : {b}}",        "a"            },
    {"${{x} >=level {3.0} ? {a} : {b}}",        NULL           },
    {"${{3} =~ {3.0} ? {a} : {b}}",             NULL           },
    {"${{a} {b} ? y}",                          NULL           },
    {"${{a} == {$(smtp}} ? {a} : {b}}",         NULL           },
    {"${empty:{foo}:{bar}}",                    NULL           },
    {"${empty:{foo}?{bar}}",                    NULL           },
    {"${smtp?{a}b}",                            NULL           },
    {"$",                                       NULL           },
    {"a$ b",                                    NULL           },
    {"${smtp",                                  NULL           },
    {"$(smtp}",                                 NULL           },
    {"${}",                                     NULL           },
    {"$loop",                                   NULL           },
    {"${smtp?$loop}",                           NULL           },
    {"$bomb0",                                  NULL           },
};

static const struct {
    struct str name, raw;
} names[] = {
    {S("smtp"),   S("smtp")  },
    {S("empty"),  S("")      },
    {S("refers"), S("$empty")},
    {S("loop"),   S("$loop") },
};

/* $bomb0 is twice $bomb1, and so on: without bounds it would fill memory. */
static bool
get(void *self, struct str name, struct str *raw)
{
    struct str digits = name;
    uint64_t n;

    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(names[i].name, name)) {
            *raw = names[i].raw;
            return true;
        }
    if (!str_skip(&digits, S("bomb")) || !str_num(digits, &n))
        return false;
    n++;
    *raw = str_from(arena_fmt(self, "x$bomb%llu$bomb%llu",
                              (unsigned long long)n, (unsigned long long)n));
    return n < 90;
}

static void
texts_expand(void **state)
{
    struct arena *a = arena_new("test", 64 << 20);
    const struct expand_names source = {get, a};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str got;
        struct why why = {0};
        enum rc rc = expand(a, str_from(cases[i].raw), &source, &got, &why);

        if ((rc == OK) != (cases[i].want != NULL))
            fail_msg("%s: %s", cases[i].raw, why.text);
        if (cases[i].want && !str_eq(got, str_from(cases[i].want)))
            fail_msg("%s: got \"%.*s\"", cases[i].raw, STR(got));
        arena_reset(a);
    }
    arena_free(a);
}

static void
found(void *own, struct str name)
{
    strncat(own, name.p, name.len);
    strcat(own, " ");
}

static void
all_names_are_found(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct why why;
    char list[100] = "";

    (void)state;
    assert_true(expand_scan(
        a, S("$a ${b?$c} ${{$d} <level {$e} ? {${f:g}} : {$h}} $$i"), found,
        list, &why));
    assert_string_equal(list, "a b c d e f h ");
    assert_false(expand_scan(a, S("${x"), found, list, &why));
    arena_free(a);
}

TESTS(TEST(texts_expand), TEST(all_names_are_found))
