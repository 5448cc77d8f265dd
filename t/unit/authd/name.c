#include "authd/name.h"

#include "unit/test.h"

static void
normalises(void **state)
{
    static const struct {
        const char *conf, *typed, *name; /* NULL: refused */
    } cases[] = {
        {"",                                    "Alice@Example.ORG", "alice@example.org"},
        {"",                                    "a b",               NULL               },
        {"",                                    "a,b",               NULL               },
        {"",                                    "",                  NULL               },
        {"",                                    "a\x01",             NULL               },
        {"auth_username_chars =",               "a,b",               "a,b"              },
        {"auth_username_chars =",               "a b",               NULL               },
        {"auth_default_realm = x.test",         "bob",               "bob@x.test"       },
        {"auth_default_realm = x.test",         "bob@y.test",        "bob@y.test"       },
        {"auth_username_format = %n",           "Bob@y.test",        "Bob"              },
        {"auth_username_format = %Un_%Ld",      "Bob@Y.test",        "BOB_y.test"       },
        {"auth_username_format = %u%%",         "bob",               "bob%"             },
        {"auth_username_format = %d",           "bob",               NULL               },
        {"auth_default_realm = x.test\n"
         "auth_username_format = %Ln", "Bob",               "bob"              },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena *a = arena_new("test", 64 << 20);
        struct why why;
        const struct conf *conf = conf_from_text(a, cases[i].conf, &why);
        struct str name;

        assert_non_null(conf);
        bool good = name_normalise(a, conf, str_from(cases[i].typed), &name);

        assert_int_equal(good, cases[i].name != NULL);
        if (good)
            assert_str(name, str_from(cases[i].name));
        arena_free(a);
    }
}

/* What is shown cannot look like the end of the name in a log line. */
static void
shown(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    assert_str(name_shown(a, S("x,192.0.2.6): unknown user")),
               S("x?192.0.2.6???unknown?user"));
    assert_str(name_shown(a, S("al\xc3\xa9@x.test")), S("al??@x.test"));
    arena_free(a);
}

TESTS(TEST(normalises), TEST(shown))
