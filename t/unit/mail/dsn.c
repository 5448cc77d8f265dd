#include "mail/dsn.h"

#include "unit/test.h"

static void
notify(void **state)
{
    static const struct {
        const char *text;
        unsigned bits; /* 0: refused */
    } rows[] = {
        {"NEVER",                 NOTIFY_NEVER         },
        {"never",                 NOTIFY_NEVER         },
        {"SUCCESS,Failure,delay",
         NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY},
        {"FAILURE",               NOTIFY_FAILURE       },
        {"NEVER,FAILURE",         0                    },
        {"FAILURE,NEVER",         0                    },
        {"FAILURE,FAILURE",       0                    },
        {"",                      0                    },
        {"FAILURE,",              0                    },
        {",FAILURE",              0                    },
        {"FAILURE, DELAY",        0                    },
        {"ALWAYS",                0                    },
    };
    struct arena *a = arena_new("test", 1 << 16);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        unsigned bits = 0;
        bool ok = dsn_parse_notify(str_from(rows[i].text), &bits);

        if (ok != (rows[i].bits != 0) || bits != rows[i].bits)
            fail_msg("%s: %d, %u", rows[i].text, ok, bits);
    }
    assert_str(dsn_notify_text(a, NOTIFY_SUCCESS | NOTIFY_DELAY),
               S("SUCCESS,DELAY"));
    assert_str(dsn_notify_text(a, 0), S(""));
    arena_free(a);
}

static void
ret_and_envid(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);
    unsigned ret = 0;
    struct str envid;
    char *big = arena_alloc(a, 102);

    (void)state;
    assert_true(dsn_parse_ret(S("hdrs"), &ret));
    assert_int_equal(ret, ENVELOPE_RET_HDRS);
    assert_true(dsn_parse_ret(S("FULL"), &ret));
    assert_int_equal(ret, ENVELOPE_RET_FULL);
    assert_false(dsn_parse_ret(S("BODY"), &ret));
    assert_true(dsn_parse_envid(a, S("QQ+2B1"), &envid));
    assert_str(envid, S("QQ+1"));
    assert_false(dsn_parse_envid(a, S(""), &envid));
    assert_false(dsn_parse_envid(a, S("a+0Ab"), &envid));
    memset(big, 'a', 101);
    assert_true(dsn_parse_envid(a, (struct str){big, 100}, &envid));
    assert_false(dsn_parse_envid(a, (struct str){big, 101}, &envid));
    arena_free(a);
}

static void
orcpt(void **state)
{
    static const struct {
        const char *wire, *plain, *utf8; /* utf8: wire form with SMTPUTF8 */
    } rows[] = {
        {"rfc822;a@b",         "rfc822;a@b",          NULL                 },
        {"RFC822;a+2Bb@c",     "RFC822;a+b@c",        NULL                 },
        {"x-my;a;b",           "x-my;a;b",            NULL                 },
        {"utf-8;j\\x{FC}rg@x", "utf-8;j\xc3\xbcrg@x", "utf-8;j\xc3\xbcrg@x"},
        {"a@b",                NULL,                  NULL                 },
        {";a@b",               NULL,                  NULL                 },
        {"rfc822;",            NULL,                  NULL                 },
        {"rfc 822;a@b",        NULL,                  NULL                 },
        {"rfc822;a+0D+0Ab@c",  NULL,                  NULL                 },
        {"rfc822;a+b@c",       NULL,                  NULL                 },
        {"rfc822;\xc3\xbc@c",  NULL,                  NULL                 },
    };
    struct arena *a = arena_new("test", 1 << 16);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str wire = str_from(rows[i].wire), plain;
        bool ok = dsn_parse_orcpt(a, wire, &plain);

        if (ok != (rows[i].plain != NULL))
            fail_msg("%s", rows[i].wire);
        if (!ok)
            continue;
        assert_str(plain, str_from(rows[i].plain));
        assert_str(dsn_orcpt_text(a, plain, false), wire);
        if (rows[i].utf8)
            assert_str(dsn_orcpt_text(a, plain, true), str_from(rows[i].utf8));
    }
    arena_free(a);
}

static void
codes(void **state)
{
    static const struct {
        const char *text, *code, *rest;
    } rows[] = {
        {"5.1.1 no such user", "5.1.1",     "no such user"},
        {"2.0.0",              "2.0.0",     ""            },
        {"4.7.123\t x",        "4.7.123",   "x"           },
        {"5.999.999 x",        "5.999.999", "x"           },
        {"5.1.1: x",           NULL,        NULL          },
        {"3.1.1 x",            NULL,        NULL          },
        {"55.1.1 x",           NULL,        NULL          },
        {"5.1 x",              NULL,        NULL          },
        {"5.01.1 x",           NULL,        NULL          },
        {"5.1000.1 x",         NULL,        NULL          },
        {"5..1 x",             NULL,        NULL          },
        {"",                   NULL,        NULL          },
        {"no",                 NULL,        NULL          },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str text = str_from(rows[i].text);
        char code[10] = "";
        bool ok = dsn_cut_code(&text, code);

        if (ok != (rows[i].code != NULL))
            fail_msg("%s", rows[i].text);
        if (!ok) {
            assert_str(text, str_from(rows[i].text));
            continue;
        }
        assert_string_equal(code, rows[i].code);
        assert_str(text, str_from(rows[i].rest));
    }
    assert_true(dsn_is_code(S("4.2.2")));
    assert_false(dsn_is_code(S("4.2.2 ")));
}

TESTS(TEST(notify), TEST(ret_and_envid), TEST(orcpt), TEST(codes))
