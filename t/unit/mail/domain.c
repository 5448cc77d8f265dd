#include "mail/domain.h"

#include "unit/test.h"

#define LABEL63                                                                \
    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static void
names(void **state)
{
    static const struct {
        const char *name;
        bool host, fqdn, address;
    } rows[] = {
        {"example.org",       1, 1, 1},
        {"localhost",         1, 0, 1},
        {"a-b.c_d.org",       1, 1, 1},
        {"1.example",         1, 1, 1},
        {"xn--mnchen-3ya.de", 1, 1, 1},
        {"m\xc3\xbcnchen.de", 1, 1, 1},
        {"",                  0, 0, 0},
        {".",                 0, 0, 0},
        {"a..b",              0, 0, 0},
        {".a",                0, 0, 0},
        {"a.",                0, 0, 0},
        {"-a.org",            0, 0, 1},
        {"a-.org",            0, 0, 1},
        {"192.0.2.1",         0, 0, 1},
        {"12345",             0, 0, 1},
        {"a b",               0, 0, 0},
        {"a,b",               0, 0, 0},
        {"a\x01",             0, 0, 0},
        {LABEL63 ".org",      1, 1, 1},
        {LABEL63 "x.org",     0, 0, 1},
        {"[192.0.2.1]",       0, 0, 1},
        {"[192.0.2]",         0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str name = str_from(rows[i].name);

        if (domain_is_hostname(name) != rows[i].host ||
            domain_is_fqdn(name) != rows[i].fqdn ||
            domain_in_address(name) != rows[i].address)
            fail_msg("%s", rows[i].name);
    }
}

static void
literals(void **state)
{
    static const struct {
        const char *name, *ip;
    } rows[] = {
        {"[192.0.2.1]",        "192.0.2.1"  },
        {"[IPv6:2001:db8::1]", "2001:db8::1"},
        {"[ipv6:::1]",         "::1"        },
        {"[::1]",              NULL         },
        {"[IPv6:192.0.2.1]",   NULL         },
        {"[192.0.2.1",         NULL         },
        {"192.0.2.1",          NULL         },
        {"[]",                 NULL         },
        {"[192.0.2.1 ]",       NULL         },
        {"[tag:x]",            NULL         },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str ip;
        bool is = domain_is_literal(str_from(rows[i].name), &ip);

        if (is != (rows[i].ip != NULL))
            fail_msg("%s", rows[i].name);
        if (is)
            assert_str(ip, str_from(rows[i].ip));
    }
    assert_true(domain_is_ip(S("2001:db8::1")));
    assert_false(domain_is_ip(((struct str){"1.2.3.4\0x", 9})));
}

static void
under(void **state)
{
    (void)state;
    assert_true(domain_is_under(S("A.example.org"), S("example.ORG")));
    assert_true(domain_is_under(S("example.org"), S("example.org")));
    assert_false(domain_is_under(S("badexample.org"), S("example.org")));
    assert_false(domain_is_under(S("org"), S("example.org")));
    assert_false(domain_is_under(S("example.org"), S("")));
}

static void
utf8(void **state)
{
    (void)state;
    assert_true(domain_is_utf8(S("m\xc3\xbcnchen.de")));
    assert_false(domain_is_utf8(S("munich.de")));
}

TESTS(TEST(names), TEST(literals), TEST(under), TEST(utf8))
