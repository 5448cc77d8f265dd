#include "auth/passwd_file.h"

#include "unit/scratch.h"

static void
lines(void **state)
{
    static const struct {
        struct str line;
        const char *name, *password, *uid, *home, *extra;
    } cases[] = {
        {S("tim:{PLAIN}x:1000:1001:Tim:/home/tim:/bin/sh:userdb_a=b nologin"),
         "tim",                                                                                   "{PLAIN}x", "1000", "/home/tim", "userdb_a=b nologin"},
        {S("tim@example.org:$2y$05$x:::::"),                                   "tim@example.org", "$2y$05$x", "",
         "",                                                                                                                       ""                  },
        {S("tim"),                                                             "tim",             "",         "",     "",          ""                  },
        {S("tim:x"),                                                           "tim",             "x",        "",     "",          ""                  },
        {S("tim:x:1:2::/h\r"),                                                 "tim",             "x",        "1",    "/h",        ""                  },
        {S("tim:x::::::allow_nets=::1/128,10.0.0.0/8"),                        "tim",             "x",        "",     "",
         "allow_nets=::1/128,10.0.0.0/8"                                                                                                               },
        {S(""),                                                                NULL,              NULL,       NULL,   NULL,        NULL                },
        {S("#tim:x"),                                                          NULL,              NULL,       NULL,   NULL,        NULL                },
        {S(":x"),                                                              NULL,              NULL,       NULL,   NULL,        NULL                },
        {S("t\0m:x"),                                                          NULL,              NULL,       NULL,   NULL,        NULL                },
        {S("\r"),                                                              NULL,              NULL,       NULL,   NULL,        NULL                },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct passwd_user u;

        if (passwd_line_parse(cases[i].line, &u) != (cases[i].name != NULL))
            fail_msg("case %zu", i);
        if (cases[i].name == NULL)
            continue;
        assert_str(u.name, str_from(cases[i].name));
        assert_str(u.password, str_from(cases[i].password));
        assert_str(u.uid, str_from(cases[i].uid));
        assert_str(u.home, str_from(cases[i].home));
        assert_str(u.extra, str_from(cases[i].extra));
    }
}

static void
printing(void **state)
{
    static const struct {
        struct passwd_user user;
        const char *want;
    } cases[] = {
        {{.name = S("tim"), .password = S("x"), .extra = S("a=b:c")},
         "tim:x::::::a=b:c"                                               },
        {{.name = S("")},                                             NULL},
        {{.name = S("#tim")},                                         NULL},
        {{.name = S("t:m")},                                          NULL},
        {{.name = S("tim"), .password = S("a:b")},                    NULL},
        {{.name = S("tim"), .home = S("/a\nroot")},                   NULL},
        {{.name = S("tim"), .extra = S("a=b\nroot:x")},               NULL},
        {{.name = S("t\0m")},                                         NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf b = buf_in(scratch);

        if (passwd_line_print(&b, &cases[i].user) != (cases[i].want != NULL))
            fail_msg("case %zu", i);
        if (cases[i].want)
            assert_str(buf_str(&b), str_from(cases[i].want));
    }
}

static void
fields(void **state)
{
    struct str extra = S(" userdb_quota_rule=*:storage=1G  nologin a= b=c=d "),
               rest = extra, value;
    struct passwd_field f;

    (void)state;
    assert_true(passwd_field_next(&rest, &f));
    assert_str(f.name, S("userdb_quota_rule"));
    assert_str(f.value, S("*:storage=1G"));
    assert_true(passwd_field_next(&rest, &f));
    assert_str(f.name, S("nologin"));
    assert_null(f.value.p);
    assert_true(passwd_field_next(&rest, &f));
    assert_true(f.value.p && f.value.len == 0);
    assert_true(passwd_field_next(&rest, &f));
    assert_str(f.value, S("c=d"));
    assert_false(passwd_field_next(&rest, &f));
    assert_true(passwd_field_find(extra, S("nologin"), &value));
    assert_false(passwd_field_find(extra, S("log"), &value));
}

static void
apps(void **state)
{
    const struct passwd_app app = {.number = 3,
                                   .scope = PASSWD_SMTP | PASSWD_IMAP,
                                   .created = 1763800000,
                                   .label = S("Tim's phone, 50%"),
                                   .stored = S("{SSHA256}a|b=")};
    struct buf b = buf_in(scratch);
    struct passwd_field f;
    struct passwd_app got;
    struct str rest;

    (void)state;
    passwd_app_print(&b, &app);
    assert_str(buf_str(&b), S("posta_app_3=smtp,imap|1763800000|"
                              "Tim+27s+20phone+2c+2050+25|{SSHA256}a|b="));
    rest = buf_str(&b);
    assert_true(passwd_field_next(&rest, &f));
    assert_true(passwd_app_parse(scratch, &f, &got));
    assert_int_equal(got.number, 3);
    assert_int_equal(got.scope, app.scope);
    assert_int_equal(got.created, app.created);
    assert_str(got.label, app.label);
    assert_str(got.stored, app.stored);
}

static void
no_apps(void **state)
{
    static const char *const cases[] = {
        "posta_app_1",
        "posta_app_1=",
        "posta_app_1=smtp|1|x",
        "posta_app_1=smtp|1|x|",
        "posta_app_1=|1|x|{PLAIN}y",
        "posta_app_1=ftp|1|x|{PLAIN}y",
        "posta_app_1=smtp|-1|x|{PLAIN}y",
        "posta_app_1=smtp|99999999999999999999|x|{PLAIN}y",
        "posta_app_1=smtp|1|x+2|{PLAIN}y",
        "posta_app_1=smtp|1|+zz|{PLAIN}y",
        "posta_app_=smtp|1|x|{PLAIN}y",
        "posta_app_0=smtp|1|x|{PLAIN}y",
        "posta_app_99999999999=smtp|1|x|{PLAIN}y",
        "userdb_app_1=smtp|1|x|{PLAIN}y",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str rest = str_from(cases[i]);
        struct passwd_field f;
        struct passwd_app app;

        assert_true(passwd_field_next(&rest, &f));
        if (passwd_app_parse(scratch, &f, &app))
            fail_msg("%s", cases[i]);
    }
}

static void
scopes(void **state)
{
    struct buf b = buf_in(scratch);
    unsigned scope;

    (void)state;
    assert_true(passwd_scope_parse(S("pop3, smtp"), &scope));
    passwd_scope_print(&b, scope);
    assert_str(buf_str(&b), S("smtp,pop3"));
    assert_false(passwd_scope_parse(S(""), &scope));
    assert_int_equal(passwd_scope_of(S("submission")), PASSWD_SMTP);
    assert_int_equal(passwd_scope_of(S("pop3")), PASSWD_POP3);
    assert_int_equal(passwd_scope_of(S("doveadm")), 0);
}

static void
expansion(void **state)
{
    static const struct {
        const char *value, *want;
    } cases[] = {
        {"plain",                                 "plain"                    },
        {"/mail/%d/%n",                           "/mail/example.org/tim"    },
        {"%u 100%% %x %",                         "tim@example.org 100% %x %"},
        {"%{user}:%{username}:%{domain}:%{home}",
         "tim@example.org:tim:example.org:%{home}"                           },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_str(passwd_expand(scratch, str_from(cases[i].value),
                                 S("tim@example.org")),
                   str_from(cases[i].want));
    assert_str(passwd_expand(scratch, S("%n@%d"), S("tim")), S("tim@"));
}

static void
nets(void **state)
{
    static const struct {
        const char *nets, *address;
        bool allowed;
    } cases[] = {
        {"127.0.0.0/8",            "127.1.2.3",       true },
        {"127.0.0.0/8",            "128.1.2.3",       false},
        {"192.168.1.1,10.0.0.0/9", "10.127.0.1",      true },
        {"192.168.1.1,10.0.0.0/9", "10.128.0.1",      false},
        {"192.168.1.1,10.0.0.0/9", "192.168.1.1",     true },
        {"::1,2001:db8::/32",      "2001:db8:1::9",   true },
        {"::1,2001:db8::/32",      "2001:db9::",      false},
        {"10.0.0.0/8",             "::ffff:10.0.0.1", true },
        {"0.0.0.0/0",              "::1",             false},
        {"0.0.0.0/0",              "1.2.3.4",         true },
        {"10.0.0.0/33",            "10.0.0.1",        false},
        {"10.0.0.0/x",             "10.0.0.1",        false},
        {"nonsense",               "10.0.0.1",        false},
        {"",                       "10.0.0.1",        false},
        {"10.0.0.0/8",             "nonsense",        false},
        {"local",                  "",                true },
        {"10.0.0.0/8",             "",                false},
        {"local",                  "127.0.0.1",       false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (passwd_nets_allow(str_from(cases[i].nets),
                              str_from(cases[i].address)) != cases[i].allowed)
            fail_msg("case %zu", i);
}

TESTS(SCRATCH_TEST(lines), SCRATCH_TEST(printing), SCRATCH_TEST(fields),
      SCRATCH_TEST(apps), SCRATCH_TEST(no_apps), SCRATCH_TEST(scopes),
      SCRATCH_TEST(expansion), SCRATCH_TEST(nets))
