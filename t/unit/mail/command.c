#include "mail/command.h"

#include "unit/scratch.h"

#define ALL    (SMTP_SIZE | SMTP_EIGHT_BIT | SMTP_DSN | SMTP_UTF8 | SMTP_XVERP)
#define STRICT (1u << 31)

static void
verbs(void **state)
{
    struct str verb, args;

    (void)state;
    command_cut(S("MAIL FROM:<a@b>  "), &verb, &args);
    assert_str(verb, S("MAIL"));
    assert_str(args, S("FROM:<a@b>"));
    command_cut(S(" quit"), &verb, &args);
    assert_str(verb, S("quit"));
    assert_str(args, S(""));
    command_cut(S("RCPT\t TO:<x>"), &verb, &args);
    assert_str(args, S("TO:<x>"));
    command_cut(S("  "), &verb, &args);
    assert_str(verb, S(""));
}

static const struct {
    const char *args;
    unsigned allowed;
    const char *reply; /* its start; NULL: none */
    const char *sender;
} mails[] = {
    {"FROM:<a@b.example>",                   ALL,    NULL,        "a@b.example"},
    {"from: <a@b.example>",                  ALL,    NULL,        "a@b.example"},
    {"FROM:<>",                              0,      NULL,        ""           },
    {"FROM:<a@b> SIZE=10",                   ALL,    NULL,        "a@b"        },
    {"FROM:<a@b> SIZE=10",                   0,      "555 5.5.4", NULL         },
    {"FROM:<a@b> SIZE=x",                    ALL,    "501 5.5.4", NULL         },
    {"FROM:<a@b> SIZE=99999999999999999999", ALL,    "501 5.5.4", NULL         },
    {"FROM:<a@b> BODY=BINARYMIME",           ALL,    "501 5.5.4", NULL         },
    {"FROM:<a@b> RET=NONE",                  ALL,    "501 5.5.4", NULL         },
    {"FROM:<a@b> RET=FULL RET=HDRS",         ALL,    "501 5.5.4", NULL         },
    {"FROM:<a@b> ENVID=",                    ALL,    "501 5.5.4", NULL         },
    {"FROM:<a@b> ENVID=a+0",                 ALL,    "501 5.5.4", NULL         },
    {"FROM:<a@b> RET=FULL",                  0,      "555 5.5.4", NULL         },
    {"FROM:<\xc3\xa9@b>",                    ALL,    "553 5.6.7", NULL         },
    {"FROM:<\xc3\xa9@b> SMTPUTF8",           ALL,    NULL,        "\xc3\xa9@b" },
    {"FROM:<\xc3\xa9@b> SMTPUTF8",           0,      "553 5.6.7", NULL         },
    {"FROM:<a@b> SMTPUTF8=x",                ALL,    "501 5.5.4", NULL         },
    {"FROM:<a@b> XVERP=+=",                  ALL,    NULL,        "a@b"        },
    {"FROM:<a@b> XVERP=ab",                  ALL,    "501 5.5.4", NULL         },
    {"FROM:<> XVERP",                        ALL,    "503 5.5.4", NULL         },
    {"FROM:<a@b> FROB=1",                    ALL,    "555 5.5.4", NULL         },
    {"FROM:<a@b",                            ALL,    "501 5.1.7", NULL         },
    {"FROM: <a@b>",                          STRICT, "501 5.1.7", NULL         },
    {"TO:<a@b>",                             ALL,    "501 5.5.4", NULL         },
    {"FROM:",                                ALL,    "501 5.5.4", NULL         },
    {"",                                     ALL,    "501 5.5.4", NULL         },
};

static void
check_reply(const char *args, const char *reply, const char *want)
{
    if (want ? reply == NULL || strncmp(reply, want, strlen(want)) != 0
             : reply != NULL)
        fail_msg("\"%s\": %s", args, reply ? reply : "no reply");
}

static void
mail(void **state)
{
    struct mail_args m;

    (void)state;
    for (size_t i = 0; i < COUNT(mails); i++) {
        const char *reply = command_mail(scratch, str_from(mails[i].args),
                                         mails[i].allowed & ~STRICT,
                                         mails[i].allowed & STRICT, &m);

        check_reply(mails[i].args, reply, mails[i].reply);
        if (reply == NULL)
            assert_str(m.sender, str_from(mails[i].sender));
    }
}

static void
mail_values(void **state)
{
    struct mail_args m;

    (void)state;
    assert_null(command_mail(scratch,
                             S("FROM:<a@b> SIZE=77 BODY=8BITMIME RET=HDRS "
                               "ENVID=Q+2B1 XVERP=-="),
                             ALL, false, &m));
    assert_int_equal(m.with.size, 77);
    assert_int_equal(m.with.flags, ENVELOPE_8BIT | ENVELOPE_RET_HDRS);
    assert_str(m.with.envid, S("Q+1"));
    assert_str(m.with.verp_delimiters, S("-="));
}

static const struct {
    const char *args, *reply, *addr, *orcpt;
    unsigned notify;
} rcpts[] = {
    {"TO:<a@b>",                       NULL,        "a@b",        "",                 0           },
    {"TO:a@b",                         NULL,        "a@b",        "",                 0           },
    {"TO:<postmaster>",                NULL,        "postmaster", "",                 0           },
    {"TO:<a@b> NOTIFY=NEVER",          NULL,        "a@b",        "",                 NOTIFY_NEVER},
    {"TO:<a@b> NOTIFY=success,DELAY",  NULL,        "a@b",        "",
     NOTIFY_SUCCESS | NOTIFY_DELAY                                                                },
    {"TO:<a@b> NOTIFY=NEVER,DELAY",    "501 5.5.4", NULL,         NULL,               0           },
    {"TO:<a@b> NOTIFY=",               "501 5.5.4", NULL,         NULL,               0           },
    {"TO:<a@b> NOTIFY=DELAY,",         "501 5.5.4", NULL,         NULL,               0           },
    {"TO:<a@b> ORCPT=rfc822;x+2By@c",  NULL,        "a@b",        "rfc822;x+y@c",     0           },
    {"TO:<a@b> ORCPT=utf-8;\\x{E9}@c", NULL,        "a@b",        "utf-8;\xc3\xa9@c", 0           },
    {"TO:<a@b> ORCPT=rfc822",          "501 5.5.4", NULL,         NULL,               0           },
    {"TO:<a@b> ORCPT=rfc822;a+0",      "501 5.5.4", NULL,         NULL,               0           },
    {"TO:<a@b> ORCPT=a;b ORCPT=a;c",   "501 5.5.4", NULL,         NULL,               0           },
    {"TO:<>",                          "501 5.1.3", NULL,         NULL,               0           },
    {"TO:<a@b> SIZE=1",                "555 5.5.4", NULL,         NULL,               0           },
    {"FROM:<a@b>",                     "501 5.5.4", NULL,         NULL,               0           },
};

static void
rcpt(void **state)
{
    struct rcpt_args r;

    (void)state;
    for (size_t i = 0; i < COUNT(rcpts); i++) {
        const char *reply = command_rcpt(scratch, str_from(rcpts[i].args), ALL,
                                         false, true, &r);

        check_reply(rcpts[i].args, reply, rcpts[i].reply);
        if (reply)
            continue;
        assert_str(r.addr, str_from(rcpts[i].addr));
        assert_str(r.with.orcpt, str_from(rcpts[i].orcpt));
        assert_int_equal(r.with.notify, rcpts[i].notify);
    }
}

static void
bdat(void **state)
{
    uint64_t size;
    bool last;

    (void)state;
    assert_true(command_bdat(S("86"), &size, &last));
    assert_int_equal(size, 86);
    assert_false(last);
    assert_true(command_bdat(S("0 last"), &size, &last));
    assert_true(last);
    assert_false(command_bdat(S(""), &size, &last));
    assert_false(command_bdat(S("-1"), &size, &last));
    assert_false(command_bdat(S("1 LAS"), &size, &last));
    assert_false(command_bdat(S("1 LAST x"), &size, &last));
    assert_false(command_bdat(S("18446744073709551616"), &size, &last));
}

static void
auth(void **state)
{
    static const struct {
        const char *args;
        enum command_auth form;
        const char *mech, *initial; /* NULL: none */
    } rows[] = {
        {"PLAIN",                 AUTH_TAKEN,  "PLAIN",              NULL  },
        {"plain dGVzdA==",        AUTH_TAKEN,  "plain",              "test"},
        {"PLAIN  =",              AUTH_TAKEN,  "PLAIN",              ""    },
        {"SCRAM-SHA-256-PLUS",    AUTH_TAKEN,  "SCRAM-SHA-256-PLUS", NULL  },
        {"PLAIN dGVzdA",          AUTH_BASE64, "PLAIN",              NULL  },
        {"PLAIN dGVz!A==",        AUTH_BASE64, "PLAIN",              NULL  },
        {"PLAIN ==",              AUTH_BASE64, "PLAIN",              NULL  },
        {"",                      AUTH_SYNTAX, NULL,                 NULL  },
        {"PLAIN dGVzdA== x",      AUTH_SYNTAX, NULL,                 NULL  },
        {"dGVzdA==",              AUTH_SYNTAX, NULL,                 NULL  },
        {"ABCDEFGHIJKLMNOPQRSTU", AUTH_SYNTAX, NULL,                 NULL  },
    };
    struct arena *a = arena_new("test", 1 << 16);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct auth_args got;

        if (command_auth(a, str_from(rows[i].args), &got) != rows[i].form)
            fail_msg("%s: another form", rows[i].args);
        if (rows[i].mech)
            assert_str(got.mech, str_from(rows[i].mech));
        if (rows[i].form == AUTH_TAKEN) {
            assert_int_equal(got.has_initial, rows[i].initial != NULL);
            assert_true(str_eq(got.initial, str_from(rows[i].initial)));
        }
    }
    arena_free(a);
}

static void
response(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);
    struct str data;

    (void)state;
    assert_int_equal(command_response(a, S("*"), &data), RESPONSE_CANCEL);
    assert_int_equal(command_response(a, S("* "), &data), RESPONSE_BAD);
    assert_int_equal(command_response(a, S("="), &data), RESPONSE_BAD);
    assert_int_equal(command_response(a, S(""), &data), RESPONSE_DATA);
    assert_int_equal(data.len, 0);
    assert_int_equal(command_response(a, S("AGEAYg=="), &data), RESPONSE_DATA);
    assert_str(data, ((struct str){"\0a\0b", 4}));
    arena_free(a);
}

TESTS_WITHIN(scratch_make, scratch_free, TEST(verbs), TEST(mail),
             TEST(mail_values), TEST(rcpt), TEST(bdat), TEST(auth),
             TEST(response))
