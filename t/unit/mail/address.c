#include "mail/address.h"

#include "unit/test.h"

static void
splits(void **state)
{
    struct str local, domain;

    (void)state;
    assert_true(address_split(S("a@b@example.org"), &local, &domain));
    assert_str(local, S("a@b"));
    assert_str(domain, S("example.org"));
    assert_false(address_split(S("root"), &local, &domain));
    assert_str(local, S("root"));
    assert_null(domain.p);
    assert_true(address_split(S("a@"), &local, &domain));
    assert_str(domain, S(""));
    assert_str(address_domain(S("a@b")), S("b"));
    assert_str(address_local(S("a@b")), S("a"));
}

static void
forms(void **state)
{
    static const struct {
        const char *internal, *external;
    } rows[] = {
        {"",           ""                 },
        {"a@b",        "a@b"              },
        {"a.b@c",      "a.b@c"            },
        {"john doe@c", "\"john doe\"@c"   },
        {"a..b@c",     "\"a..b\"@c"       },
        {".a@c",       "\".a\"@c"         },
        {"a.@c",       "\"a.\"@c"         },
        {"a@b@c",      "\"a@b\"@c"        },
        {"a\"b\\c@d",  "\"a\\\"b\\\\c\"@d"},
        {"john doe",   "\"john doe\""     },
        {"@c",         "\"\"@c"           },
        {"a+b=c@d",    "a+b=c@d"          },
        {"\xc3\xbc@d", "\xc3\xbc@d"       },
    };
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str internal = str_from(rows[i].internal);

        assert_str(address_quote(a, internal), str_from(rows[i].external));
        assert_str(address_unquote(a, str_from(rows[i].external)), internal);
    }
    assert_str(address_unquote(a, S(" <a@b> ")), S("a@b"));
    assert_str(address_unquote(a, S("<>")), S(""));
    arena_free(a);
}

static void
extensions(void **state)
{
    static const struct {
        const char *local, *delimiters, *user, *extension;
    } rows[] = {
        {"ana+x",         "+",  "ana",           "x"  },
        {"ana+x+y",       "+",  "ana",           "x+y"},
        {"ana-x+y",       "+-", "ana",           "x+y"},
        {"ana",           "+",  "ana",           NULL },
        {"ana+",          "+",  "ana",           ""   },
        {"+x",            "+",  "+x",            NULL },
        {"ana+x",         "",   "ana+x",         NULL },
        {"postmaster+x",  "+",  "postmaster",    "x"  },
        {"mailer-daemon", "-",  "mailer-daemon", NULL },
        {"Double-Bounce", "-",  "Double-Bounce", NULL },
        {"owner-list",    "-",  "owner-list",    NULL },
        {"list-request",  "-",  "list-request",  NULL },
        {"owner-list",    "+-", "owner-list",    NULL },
        {"owner+x",       "+",  "owner",         "x"  },
        {"list-x",        "-",  "list",          "x"  },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str user, extension;
        bool found = address_extension(str_from(rows[i].local),
                                       rows[i].delimiters, &user, &extension);

        if (found != (rows[i].extension != NULL))
            fail_msg("%s: %d", rows[i].local, found);
        assert_str(user, str_from(found ? rows[i].user : rows[i].local));
        if (found)
            assert_str(extension, str_from(rows[i].extension));
    }
}

static void
equality(void **state)
{
    (void)state;
    assert_true(address_eq(S("Ana@Example.ORG"), S("ana@example.org")));
    assert_false(address_eq(S("ana@example.org"), S("ana@example.com")));
}

TESTS(TEST(splits), TEST(forms), TEST(extensions), TEST(equality))
