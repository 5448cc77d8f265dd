#include "mail/path.h"

#include "unit/test.h"

#define STRICT PATH_STRICT
#define SENDER PATH_SENDER
#define UTF8   PATH_UTF8

/* addr NULL: refused. rest: what is left behind the path. */
static const struct {
    unsigned flags;
    const char *arg, *addr, *rest;
} cases[] = {
    {STRICT,          "<a@example.org>",                  "a@example.org",                  ""          },
    {STRICT,          "<a@example.org> SIZE=1",           "a@example.org",                  " SIZE=1"   },
    {STRICT,          " <a@example.org>",                 NULL,                             NULL        },
    {0,               " <a@example.org>",                 "a@example.org",                  ""          },
    {0,               "\t < a@example.org > SIZE=1",      "a@example.org",                  " SIZE=1"   },
    {STRICT,          "< a@example.org>",                 NULL,                             NULL        },
    {0,               "a@example.org",                    "a@example.org",                  ""          },
    {0,               "a@example.org BODY=7BIT",          "a@example.org",                  " BODY=7BIT"},
    {STRICT,          "a@example.org",                    NULL,                             NULL        },
    {SENDER,          "<>",                               "",                               ""          },
    {SENDER | STRICT, "<> RET=HDRS",                      "",                               " RET=HDRS" },
    {0,               "<>",                               NULL,                             NULL        },
    {SENDER,          "",                                 NULL,                             NULL        },
    {SENDER,          "   ",                              NULL,                             NULL        },
    {0,               "<a@example.org",                   NULL,                             NULL        },
    {0,               "<a@example.org>x",                 NULL,                             NULL        },
    {0,               "<a@example.org>>",                 NULL,                             NULL        },
    {0,               "<postmaster>",                     "postmaster",                     ""          },
    {STRICT,          "<Postmaster>",                     "Postmaster",                     ""          },
    {0,               "<@one,@two:a@three>",              "a@three",                        ""          },
    {STRICT,          "<@one.example:a@three>",           "a@three",                        ""          },
    {0,               "<@[IPv6:::1]:a@three>",            "a@three",                        ""          },
    {0,               "<@three>",                         NULL,                             NULL        },
    {0,               "<\"john doe\"@example.org>",       "john doe@example.org",           ""          },
    {STRICT,          "<\"john doe\"@example.org> X",     "john doe@example.org",           " X"        },
    {0,               "<\"a>b\"@example.org>",            "a>b@example.org",                ""          },
    {0,               "<\"a\\\"b\"@example.org>",         "a\"b@example.org",               ""          },
    {0,               "<\"a@b\"@example.org>",            "a@b@example.org",                ""          },
    {0,               "<\"a@b\">",                        NULL,                             NULL        },
    {0,               "<\"\"@example.org>",               NULL,                             NULL        },
    {0,               "<\"a\".b@example.org>",            "a.b@example.org",                ""          },
    {STRICT,          "<\"a\".b@example.org>",            NULL,                             NULL        },
    {0,               "<a\\@b@example.org>",              "a@b@example.org",                ""          },
    {0,               "<a@b@example.org>",                NULL,                             NULL        },
    {0,               "<a..b@example.org>",               "a..b@example.org",               ""          },
    {STRICT,          "<a..b@example.org>",               NULL,                             NULL        },
    {0,               "<.a.@example.org>",                ".a.@example.org",                ""          },
    {STRICT,          "<.a@example.org>",                 NULL,                             NULL        },
    {STRICT,          "<a.@example.org>",                 NULL,                             NULL        },
    {0,               "<a@example.org.>",                 "a@example.org",                  ""          },
    {STRICT,          "<a@example.org.>",                 NULL,                             NULL        },
    {0,               "<a@example..org>",                 NULL,                             NULL        },
    {0,               "<a@.example.org>",                 NULL,                             NULL        },
    {0,               "<a@>",                             NULL,                             NULL        },
    {0,               "<a@exa mple.org>",                 NULL,                             NULL        },
    {0,               "<a b@example.org>",                NULL,                             NULL        },
    {0,               "<a,b@example.org>",                NULL,                             NULL        },
    {0,               "<a@[192.0.2.1]>",                  "a@[192.0.2.1]",                  ""          },
    {0,               "<a@[IPv6:2001:db8::1]>",           "a@[IPv6:2001:db8::1]",           ""          },
    {0,               "<a@[ipv6:2001:db8::1]>",           "a@[ipv6:2001:db8::1]",           ""          },
    {0,               "<a@[2001:db8::1]>",                NULL,                             NULL        },
    {0,               "<a@[192.0.2.256]>",                NULL,                             NULL        },
    {0,               "<a@[x]>",                          NULL,                             NULL        },
    {0,               "<a!b%c@example.org>",              "a!b%c@example.org",              ""          },
    {0,               "<a\x01@example.org>",              NULL,                             NULL        },
    {0,               "<\"a\rb\"@example.org>",           NULL,                             NULL        },
    {0,               "<j\xc3\xbcrg@example.org>",        NULL,                             NULL        },
    {UTF8,            "<j\xc3\xbcrg@ex\xc3\xa4mple.org>", "j\xc3\xbcrg@ex\xc3\xa4mple.org",
     ""                                                                                                 },
    {UTF8,            "<j\xfcrg@example.org>",            NULL,                             NULL        },
    {0,               "<\"unclosed@example.org>",         NULL,                             NULL        },
    {0,               "<a\\",                             NULL,                             NULL        },
};

static void
paths(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str arg = str_from(cases[i].arg), addr;
        struct why why;
        enum rc rc = path_parse(a, &arg, cases[i].flags, &addr, &why);

        if ((rc == OK) != (cases[i].addr != NULL))
            fail_msg("%s: rc %d", cases[i].arg, rc);
        if (rc != OK)
            continue;
        if (!str_eq(addr, str_from(cases[i].addr)) ||
            !str_eq(arg, str_from(cases[i].rest)))
            fail_msg("%s: <%.*s>, rest \"%.*s\"", cases[i].arg, STR(addr),
                     STR(arg));
    }
    arena_free(a);
}

static void
codes(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct str arg = S("<a"), addr;
    struct why why;

    (void)state;
    assert_int_equal(path_parse(a, &arg, 0, &addr, &why), PERM);
    assert_string_equal(why.dsn, "5.1.3");
    assert_string_equal(why.text, "bad recipient address syntax");
    arg = S("<a");
    assert_int_equal(path_parse(a, &arg, SENDER, &addr, &why), PERM);
    assert_string_equal(why.dsn, "5.1.7");
    arg = S("<\xc3\xbc@a>");
    assert_int_equal(path_parse(a, &arg, 0, &addr, &why), PERM);
    assert_string_equal(why.dsn, "5.6.7");
    arena_free(a);
}

/* A path of n bytes without brackets whose local part has `local` bytes. */
static enum rc
parse_long(unsigned flags, size_t local, size_t n)
{
    struct arena *a = arena_new("test", 1 << 20);
    char *text = arena_alloc(a, n + 3);
    struct why why;

    memset(text, 'a', n + 2);
    for (size_t i = local + 1; i <= n; i += 50)
        text[i] = '.';
    text[0] = '<';
    text[local + 1] = '@';
    text[n] = 'a';
    text[n + 1] = '>';

    struct str arg = str_from(text), addr;
    enum rc rc = path_parse(a, &arg, flags, &addr, &why);

    arena_free(a);
    return rc;
}

static void
lengths(void **state)
{
    (void)state;
    assert_int_equal(parse_long(STRICT, 64, 254), OK);
    assert_int_equal(parse_long(STRICT, 65, 254), PERM);
    assert_int_equal(parse_long(STRICT, 64, 255), PERM);
    assert_int_equal(parse_long(0, 256, 512), OK);
    assert_int_equal(parse_long(0, 257, 513), PERM);
    assert_int_equal(parse_long(0, 100, 400), PERM); /* domain over 255 */
}

TESTS(TEST(paths), TEST(codes), TEST(lengths))
