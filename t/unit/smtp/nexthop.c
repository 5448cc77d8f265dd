#include "smtp/nexthop.h"

#include "unit/test.h"

static void
forms(void **state)
{
    static const struct {
        const char *text;
        bool lmtp;
        enum nexthop_kind kind;
        const char *host;
        unsigned port;
    } cases[] = {
        {"example.org",           false, NEXTHOP_DOMAIN, "example.org",  25  },
        {"example.org:2525",      false, NEXTHOP_DOMAIN, "example.org",  2525},
        {"example.org:smtp",      false, NEXTHOP_DOMAIN, "example.org",  25  },
        {"[mail.test]",           false, NEXTHOP_HOST,   "mail.test",    25  },
        {"[192.0.2.1]:587",       false, NEXTHOP_HOST,   "192.0.2.1",    587 },
        {"[2001:db8::1]",         false, NEXTHOP_HOST,   "2001:db8::1",  25  },
        {"[IPv6:2001:db8::1]:26", false, NEXTHOP_HOST,   "2001:db8::1",  26  },
        {"unix:private/lmtp",     true,  NEXTHOP_UNIX,   "private/lmtp", 0   },
        {"unix:/run/x",           true,  NEXTHOP_UNIX,   "/run/x",       0   },
        {"inet:[::1]:24",         true,  NEXTHOP_HOST,   "::1",          24  },
        {"inet:host:2003",        true,  NEXTHOP_DOMAIN, "host",         2003},
        {"host",                  true,  NEXTHOP_DOMAIN, "host",         25  },
        {"unix:99",               false, NEXTHOP_DOMAIN, "unix",         99  },
    };
    struct nexthop n;
    struct why why;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(
            nexthop_parse(str_from(cases[i].text), cases[i].lmtp, 25, &n, &why),
            OK);
        assert_int_equal(n.kind, cases[i].kind);
        assert_int_equal(n.port, cases[i].port);
        assert_true(str_eq(n.host, str_from(cases[i].host)));
    }
}

static void
mistakes(void **state)
{
    static const char *const cases[] = {
        "[host", "[]", ":25", "host:x-y", "host:0", "host:65536", "[h]25"};
    struct nexthop n;
    struct why why;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(nexthop_parse(str_from(cases[i]), false, 25, &n, &why),
                         TEMP);
        assert_string_equal(why.dsn, "4.3.5");
    }
    assert_int_equal(nexthop_parse(S("unix:"), true, 24, &n, &why), TEMP);
}

static void
lists(void **state)
{
    struct str list = S("a.test, [b.test]:26  c.test,"), one;

    (void)state;
    assert_true(nexthop_cut(&list, &one));
    assert_true(str_eq(one, S("a.test")));
    assert_true(nexthop_cut(&list, &one));
    assert_true(str_eq(one, S("[b.test]:26")));
    assert_true(nexthop_cut(&list, &one));
    assert_true(str_eq(one, S("c.test")));
    assert_false(nexthop_cut(&list, &one));
}

TESTS(TEST(forms), TEST(mistakes), TEST(lists))
