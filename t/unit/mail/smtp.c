#include "mail/smtp.h"

#include "unit/test.h"

#define ALL ((1u << SMTP_EXTENSION_COUNT) - 1)

static void
extensions(void **state)
{
    (void)state;
    assert_int_equal(smtp_extension_bit(S("size")), SMTP_SIZE);
    assert_int_equal(smtp_extension_bit(S("XSIZE")), 0);
    assert_int_equal(
        smtp_extension_list(S("pipelining, silent-discard\tdsn,,")),
        SMTP_PIPELINING | SMTP_DSN);
    for (unsigned i = 0; i < SMTP_EXTENSION_COUNT; i++)
        assert_int_equal(smtp_extension_bit(str_from(
                             smtp_extension_name((enum smtp_extension)i))),
                         1u << i);
}

static void
server(void **state)
{
    static const char *const lines[] = {"PIPELINING",
                                        "size 10240000",
                                        "AUTH PLAIN LOGIN",
                                        "AUTH=PLAIN LOGIN",
                                        "8BITMIME",
                                        "X-OTHER yes",
                                        "LIMITS RCPTMAX=100 MAILMAX=x RCPTMAX",
                                        "XFORWARD NAME ADDR",
                                        "",
                                        "  CHUNKING  "};
    struct arena *a = arena_new("test", 1 << 16);
    struct smtp_server s = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++)
        smtp_server_line(a, &s, str_from(lines[i]));
    assert_int_equal(s.offers, SMTP_PIPELINING | SMTP_SIZE | SMTP_AUTH |
                                   SMTP_EIGHT_BIT | SMTP_LIMITS |
                                   SMTP_XFORWARD | SMTP_CHUNKING);
    assert_int_equal(s.size, 10240000);
    assert_int_equal(s.rcptmax, 100);
    assert_int_equal(s.mailmax, 0);
    assert_str(s.auth, S("PLAIN LOGIN PLAIN LOGIN"));
    assert_str(s.xforward, S("NAME ADDR"));
    s = (struct smtp_server){0};
    smtp_server_line(a, &s, S("SIZE"));
    assert_int_equal(s.offers, SMTP_SIZE);
    assert_int_equal(s.size, 0);
    arena_free(a);
}

static void
mail(void **state)
{
    static const struct {
        const char *text;
        unsigned offered;
        int code; /* 0: OK */
        unsigned flags;
        uint64_t size;
    } rows[] = {
        {"",                                          ALL,                       0,   0,                 0   },
        {" SIZE=1000 BODY=8BITMIME",                  ALL,                       0,   ENVELOPE_8BIT,     1000},
        {" size=0 body=7bit smtputf8",                ALL,                       0,   ENVELOPE_UTF8,     0   },
        {" RET=HDRS ENVID=abc",                       ALL,                       0,   ENVELOPE_RET_HDRS, 0   },
        {" RET=HDRS",                                 ALL & ~(unsigned)SMTP_DSN, 555, 0,                 0   },
        {" SIZE",                                     ALL,                       501, 0,                 0   },
        {" SIZE=",                                    ALL,                       501, 0,                 0   },
        {" SIZE=-1",                                  ALL,                       501, 0,                 0   },
        {" SIZE=1x",                                  ALL,                       501, 0,                 0   },
        {" SIZE=99999999999999999999",                ALL,                       501, 0,                 0   },
        {" SIZE=1 SIZE=1",                            ALL,                       501, 0,                 0   },
        {" SMTPUTF8=yes",                             ALL,                       501, 0,                 0   },
        {" BODY=9BIT",                                ALL,                       501, 0,                 0   },
        {" BODY=BINARYMIME",                          ALL,                       0,   0,                 0   },
        {" BODY=BINARYMIME",                          SMTP_EIGHT_BIT,            501, 0,                 0   },
        {" NOTIFY=NEVER",                             ALL,                       555, 0,                 0   },
        {" FOO=bar",                                  ALL,                       555, 0,                 0   },
        {" =x",                                       ALL,                       555, 0,                 0   },
        {" HOLDFOR=86400",                            ALL,                       0,   0,                 0   },
        {" HOLDFOR=86400",                            SMTP_SIZE,                 555, 0,                 0   },
        {" HOLDFOR=0",                                ALL,                       501, 0,                 0   },
        {" HOLDFOR=01",                               ALL,                       501, 0,                 0   },
        {" HOLDFOR=1234567890",                       ALL,                       501, 0,                 0   },
        {" HOLDFOR",                                  ALL,                       501, 0,                 0   },
        {" HOLDUNTIL=2026-02-06T10:00:00Z",           ALL,                       0,   0,                 0   },
        {" HOLDUNTIL=tomorrow",                       ALL,                       501, 0,                 0   },
        {" HOLDUNTIL",                                ALL,                       501, 0,                 0   },
        {" HOLDFOR=1 HOLDUNTIL=2026-02-06T10:00:00Z", ALL,                       501, 0,                 0   },
    };
    struct arena *a = arena_new("test", 1 << 16);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct smtp_mail m;
        struct why why;
        int code = 0;

        if (smtp_mail_parse(a, str_from(rows[i].text), rows[i].offered, &m,
                            &code, &why) != OK)
            assert_string_equal(why.dsn, "5.5.4");
        if (code != rows[i].code ||
            (code == 0 && (m.flags != rows[i].flags || m.size != rows[i].size)))
            fail_msg("%s: code %d, flags %u", rows[i].text, code, m.flags);
    }
    arena_free(a);
}

static void
mail_texts(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);
    struct smtp_mail m;
    struct why why;
    int code;

    (void)state;
    assert_int_equal(smtp_mail_parse(a,
                                     S("AUTH=<> XVERP=-= ENVID=a+2Bb "
                                       "REQUIRETLS BODY=BINARYMIME"),
                                     ALL, &m, &code, &why),
                     OK);
    assert_non_null(m.auth.p);
    assert_int_equal(m.auth.len, 0);
    assert_true(m.verp && m.requiretls && m.binary);
    assert_str(m.verp_delimiters, S("-="));
    assert_str(m.envid, S("a+b"));
    assert_int_equal(
        smtp_mail_parse(a, S("AUTH=a+2Bb@x XVERP"), ALL, &m, &code, &why), OK);
    assert_str(m.auth, S("a+b@x"));
    assert_true(m.verp);
    assert_int_equal(m.verp_delimiters.len, 0);
    assert_int_equal(smtp_mail_parse(a, S("FOO=\x7f"), ALL, &m, &code, &why),
                     PERM);
    assert_string_equal(why.text, "unsupported option: FOO");
    arena_free(a);
}

static void
rcpt(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);
    struct smtp_rcpt r;
    struct why why;
    int code = 0;

    (void)state;
    assert_int_equal(
        smtp_rcpt_parse(a, S(" NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@c"), ALL,
                        &r, &code, &why),
        OK);
    assert_int_equal(r.notify, NOTIFY_SUCCESS | NOTIFY_DELAY);
    assert_str(r.orcpt, S("rfc822;a+b@c"));
    assert_int_equal(smtp_rcpt_parse(a, S(""), ALL, &r, &code, &why), OK);
    assert_int_equal(r.notify, 0);
    assert_int_equal(r.orcpt.len, 0);
    assert_int_equal(smtp_rcpt_parse(a, S("ORCPT=x"), ALL, &r, &code, &why),
                     PERM);
    assert_int_equal(code, 501);
    assert_int_equal(
        smtp_rcpt_parse(a, S("NOTIFY=NEVER"), SMTP_SIZE, &r, &code, &why),
        PERM);
    assert_int_equal(code, 555);
    arena_free(a);
}

static void
replies(void **state)
{
    static const struct {
        const char *lines[4];
        enum smtp_part last;
        int code;
        const char *dsn, *text;
    } rows[] = {
        {{"250 2.1.0 Ok"},                        SMTP_LAST, 250, "2.1.0", "250 2.1.0 Ok"                    },
        {{"250"},                                 SMTP_LAST, 250, "2.0.0", "250"                             },
        {{"550-5.1.1 no", "550 5.1.1 such user"},
         SMTP_LAST,                                          550,
         "5.1.1",                                                          "550-5.1.1 no 550 5.1.1 such user"},
        {{"550-5.1.1 no", "550 user"},
         SMTP_LAST,                                          550,
         "5.1.1",                                                          "550-5.1.1 no 550 user"           },
        {{"450 5.1.1 odd"},                       SMTP_LAST, 450, "4.0.0", "450 5.1.1 odd"                   },
        {{"354 go on"},                           SMTP_LAST, 354, "3.0.0", "354 go on"                       },
        {{"250-a", "250-b", "250-c"},
         SMTP_MORE,                                          250,
         "2.0.0",                                                          "250-a 250-b 250-c"               },
        {{"250-2.0.0 a", "550 no"},
         SMTP_LAST,                                          550,
         "5.0.0",                                                          "250-2.0.0 a 550 no"              },
        {{"550 a\tb\x01\x7f"},                    SMTP_LAST, 550, "5.0.0", "550 a b??"                       },
        {{"55 x"},                                SMTP_BAD,  0,   NULL,    NULL                              },
        {{"650 x"},                               SMTP_BAD,  0,   NULL,    NULL                              },
        {{"250x"},                                SMTP_BAD,  0,   NULL,    NULL                              },
        {{"HTTP/1.1 400"},                        SMTP_BAD,  0,   NULL,    NULL                              },
        {{""},                                    SMTP_BAD,  0,   NULL,    NULL                              },
    };
    struct arena *a = arena_new("test", 1 << 16);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct smtp_reply r;
        enum smtp_part part = SMTP_MORE;

        smtp_reply_begin(&r, a);
        for (size_t k = 0; k < 4 && rows[i].lines[k]; k++)
            part = smtp_reply_add(&r, str_from(rows[i].lines[k]));
        assert_int_equal(part, rows[i].last);
        if (part == SMTP_BAD)
            continue;
        assert_int_equal(r.code, rows[i].code);
        assert_string_equal(r.dsn, rows[i].dsn);
        assert_str(buf_str(&r.text), str_from(rows[i].text));
    }
    arena_free(a);
}

static void
endless_reply(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);
    struct smtp_reply r;
    enum smtp_part part = SMTP_MORE;
    unsigned n = 0;

    (void)state;
    smtp_reply_begin(&r, a);
    while (part == SMTP_MORE && n++ < 2000)
        part = smtp_reply_add(&r, S("250-and so on, and so on, and so on"));
    assert_int_equal(part, SMTP_BAD);
    assert_true(r.text.len <= SMTP_REPLY_MAX);
    arena_free(a);
}

TESTS(TEST(extensions), TEST(server), TEST(mail), TEST(mail_texts), TEST(rcpt),
      TEST(replies), TEST(endless_reply))
