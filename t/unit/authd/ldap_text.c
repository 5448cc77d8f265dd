#include "authd/ldap_text.h"

#include "unit/test.h"

static void
fills(void **state)
{
    static const struct {
        const char *template;
        enum ldap_escape how;
        const char *user, *want;
    } cases[] = {
        {"(uid=%u)",         LDAP_ESCAPE_FILTER, "alice",       "(uid=alice)"        },
        {"(&(u=%n)(d=%d))",  LDAP_ESCAPE_FILTER, "a@x.test",
         "(&(u=a)(d=x.test))"                                                        },
        {"(uid=%u)",         LDAP_ESCAPE_FILTER, "*)(uid=*",
         "(uid=\\2a\\29\\28uid\\3d\\2a)"                                             },
        {"(uid=%u)",         LDAP_ESCAPE_FILTER, "a\\b",        "(uid=a\\5cb)"       },
        {"(uid=%u)",         LDAP_ESCAPE_FILTER, "\xc3\xa9",    "(uid=\\c3\\a9)"     },
        {"uid=%u,ou=p,dc=x", LDAP_ESCAPE_DN,     "alice",       "uid=alice,ou=p,dc=x"},
        {"uid=%u,ou=p,dc=x", LDAP_ESCAPE_DN,     "a,ou=admins",
         "uid=a\\2cou\\3dadmins,ou=p,dc=x"                                           },
        {"uid=%u",           LDAP_ESCAPE_DN,     " #a+b\"<>;",
         "uid=\\20\\23a\\2bb\\22\\3c\\3e\\3b"                                        },
        {"100%%%x",          LDAP_ESCAPE_DN,     "a",           "100%x"              },
        {"%d%n%",            LDAP_ESCAPE_DN,     "a",           "a%"                 },
    };
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(ldap_fill(a, cases[i].template, cases[i].how,
                                      str_from(cases[i].user)),
                            cases[i].want);
    arena_free(a);
}

TESTS(TEST(fills))
