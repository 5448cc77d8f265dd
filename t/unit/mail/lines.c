#include "mail/lines.h"

#include "unit/test.h"

static void
delays(void **state)
{
    static const struct {
        int64_t us;
        const char *text;
    } rows[] = {
        {0,            "0"     },
        {-1,           "0"     },
        {4999,         "0"     },
        {5000,         "0.01"  },
        {54000,        "0.05"  },
        {100000,       "0.1"   },
        {120000,       "0.12"  },
        {994999,       "0.99"  },
        {995000,       "1"     },
        {1000000,      "1"     },
        {1230000,      "1.2"   },
        {1250000,      "1.3"   },
        {9940000,      "9.9"   },
        {9960000,      "10"    },
        {12300000,     "12"    },
        {12500000,     "13"    },
        {99999999,     "100"   },
        {432000000000, "432000"},
    };
    struct arena *a = arena_new("test", 1 << 16);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_str(lines_delay(a, rows[i].us), str_from(rows[i].text));
    arena_free(a);
}

static void
results(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);
    struct lines_result r = {
        .id = S("3A2F41234"),
        .to = S("ana@example.org"),
        .orig_to = S("Ana@Example.org"),
        .relay = S("mx.example.org[192.0.2.1]:25"),
        .arrived = 1000000,
        .active = 1050000,
        .handed = 1060000,
        .connected = 1260000,
        .done = 2260000,
        .dsn = "2.0.0",
        .status = "sent",
        .text = S("250 2.0.0 Ok: queued as X"),
    };

    (void)state;
    assert_str(lines_result(a, &r),
               S("3A2F41234: to=<ana@example.org>, "
                 "relay=mx.example.org[192.0.2.1]:25, delay=1.3, "
                 "delays=0.05/0.01/0.2/1, dsn=2.0.0, status=sent "
                 "(250 2.0.0 Ok: queued as X)"));
    r.to = S("john doe@x");
    r.orig_to = S("jd");
    r.relay = S("local");
    r.connected = 0;
    r.conn_use = 2;
    r.status = "bounced";
    r.dsn = "5.1.1";
    r.text = S("unknown user: \"jd\"");
    assert_str(lines_result(a, &r),
               S("3A2F41234: to=<\"john doe\"@x>, orig_to=<jd>, relay=local, "
                 "conn_use=2, delay=1.3, delays=0.05/0.01/0/1.2, dsn=5.1.1, "
                 "status=bounced (unknown user: \"jd\")"));
    arena_free(a);
}

static void
rejects(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);
    struct origin o = {.name = S("unknown"), .addr = S("192.0.2.9")};
    struct lines_reject r = {
        .verb = "reject",
        .stage = "RCPT",
        .peer = lines_peer(a, &o, 0),
        .reply = S("550 5.1.1 <x@y>: Recipient address rejected: User unknown"
                   " in local recipient table"),
        .from = S(""),
        .to = S("x@y"),
        .proto = S("ESMTP"),
        .helo = S("h"),
    };

    (void)state;
    assert_str(lines_reject(a, &r),
               S("NOQUEUE: reject: RCPT from unknown[192.0.2.9]: 550 5.1.1 "
                 "<x@y>: Recipient address rejected: User unknown in local "
                 "recipient table; from=<> to=<x@y> proto=ESMTP helo=<h>"));
    r = (struct lines_reject){.id = S("ABC"),
                              .verb = "reject",
                              .stage = "CONNECT",
                              .peer = lines_peer(a, &o, 4321),
                              .reply = S("554 5.7.1 no"),
                              .login = S("u")};
    assert_str(lines_reject(a, &r),
               S("ABC: reject: CONNECT from unknown[192.0.2.9]:4321: "
                 "554 5.7.1 no; sasl_username=<u>"));
    arena_free(a);
}

static void
disconnects(void **state)
{
    static const struct lines_count counts[] = {
        {"helo",     0, 0},
        {"ehlo",     2, 2},
        {"starttls", 1, 1},
        {"auth",     0, 1},
        {"mail",     1, 1},
        {"rcpt",     1, 3},
        {"data",     1, 1},
        {"quit",     1, 1},
    };
    struct arena *a = arena_new("test", 1 << 16);

    (void)state;
    assert_str(lines_disconnect(a, S("h[192.0.2.1]"), counts, COUNT(counts)),
               S("disconnect from h[192.0.2.1] ehlo=2 starttls=1 auth=0/1 "
                 "mail=1 rcpt=1/3 data=1 quit=1 commands=7/10"));
    assert_str(lines_disconnect(a, S("h[::1]"), counts, 1),
               S("disconnect from h[::1] commands=0/0"));
    arena_free(a);
}

static void
others(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);
    struct str none = {0};

    (void)state;
    assert_str(lines_client(a, S("A1"), S("h[::1]"), none, none, none),
               S("A1: client=h[::1]"));
    assert_str(lines_client(a, S("A1"), S("h[::1]"), S("PLAIN"), S("ana"),
                            S("o[192.0.2.1]")),
               S("A1: client=h[::1], sasl_method=PLAIN, sasl_username=ana, "
                 "orig_client=o[192.0.2.1]"));
    assert_str(lines_pickup(a, S("A1"), 1000, S("ana")),
               S("A1: uid=1000 from=<ana>"));
    assert_str(lines_message_id(a, S("A1"), S("<x@y>")),
               S("A1: message-id=<x@y>"));
    assert_str(lines_active(a, S("A1"), none, 482, 1),
               S("A1: from=<>, size=482, nrcpt=1 (queue active)"));
    assert_str(lines_expired(a, S("A1"), S("a@b"), "expired"),
               S("A1: from=<a@b>, status=expired, returned to sender"));
    assert_str(lines_notification(a, S("A1"), "sender non-delivery", S("B2")),
               S("A1: sender non-delivery notification: B2"));
    arena_free(a);
}

static void
login_failed(void **state)
{
    static const struct {
        struct lines_login_failed f;
        const char *want;
    } cases[] = {
        {{"passwd-file", S("al"), S("192.0.2.1"), S(""), "unknown user", true},
         "passwd-file(al,192.0.2.1): unknown user"                          },
        {{"pam", S("al"), S("::1"), S("x/Y"), "Password mismatch", true},
         "pam(al,::1,<x/Y>): Password mismatch"                             },
        {{"pam", S("al"), S(""), S("x"), "Password mismatch", true},
         "pam(al): Password mismatch"                                       },
        {{"ldap", S("al"), S("192.0.2.1"), S("x"), "unknown user", false},
         "login failed: unknown user, user=<al>, source=ldap, rip=192.0.2.1"},
    };
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_str(lines_login_failed(a, &cases[i].f), str_from(cases[i].want));
    arena_free(a);
}

TESTS(TEST(login_failed), TEST(delays), TEST(results), TEST(rejects),
      TEST(disconnects), TEST(others))
