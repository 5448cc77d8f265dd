#include "pop3d/uidl.h"

#include "unit/test.h"

static void
makes(void **state)
{
    static const struct {
        const char *format, *want;
    } cases[] = {
        {"%08Xu%08Xv", "0000001f499602d2"      },
        {"%u",         "31"                    },
        {"%v.%u",      "1234567890.31"         },
        {"UID%Xu",     "UID1f"                 },
        {"%010u%%",    "0000000031%"           },
        {"%020Xv%u",   "000000000000499602d231"},
        {"%f",         "1700.M1.host,S=3"      },
        {"%g-%u",      "5f_1e-31"              },
    };
    const struct uidl_facts facts = {31, 1234567890, S("1700.M1.host,S=3"),
                                     S("5f 1e")};
    struct arena *a = arena_new("test", 1 << 16);
    struct why why;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(uidl_check(cases[i].format, &why), OK);
        assert_string_equal(uidl_make(a, cases[i].format, &facts).p,
                            cases[i].want);
        assert_int_equal(uidl_names(cases[i].format),
                         strpbrk(cases[i].format, "fg") != NULL);
    }
    arena_free(a);
}

static void
refuses(void **state)
{
    static const char *const cases[] = {
        "",
        "%v",
        "abc",
        "%",
        "%u%",
        "%m",
        "%u %v",
        "%8u",
        "%0999999999999u",
        "%08f",
        "%Xg%u",
        "%u\t",
        "%020u%020u%020u%020u",
    };
    struct why why;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(uidl_check(cases[i], &why), PERM);
}

TESTS(TEST(makes), TEST(refuses))
