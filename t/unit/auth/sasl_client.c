#include "auth/sasl_client.h"

#include "auth/sasl.h"
#include "auth/scheme.h"
#include "base/buf.h"
#include "unit/scratch.h"

#define ALL                                                                    \
    "PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-1-PLUS "         \
    "SCRAM-SHA-256-PLUS EXTERNAL XOAUTH2 OAUTHBEARER ANONYMOUS GSSAPI"

/* A filter of the form "word word". */
static bool
filter(void *own, const char *mech)
{
    struct str rest = str_from(own), word;

    while (str_word(&rest, " ", &word))
        if (str_eq(word, str_from(mech)))
            return true;
    return false;
}

static void
choice(void **state)
{
    static const struct {
        const char *offered, *options, *filter, *want;
        bool bound, certificate, no_password;
    } cases[] = {
        {ALL,                         "",                NULL,          "SCRAM-SHA-256",      false, false, false},
        {ALL,                         "",                NULL,          "SCRAM-SHA-256-PLUS", true,  false, false},
        {ALL,                         "",                NULL,          "SCRAM-SHA-256-PLUS", true,  true,  false},
        {ALL,                         "",                NULL,          "EXTERNAL",           true,  true,  true },
        {ALL,                         "",                NULL,          NULL,                 true,  false, true },
        {"plain login",               "",                NULL,          "PLAIN",              false, false, false},
        {"LOGIN",                     "",                NULL,          "LOGIN",              false, false, false},
        {"PLAIN LOGIN CRAM-MD5",      "noanonymous",     NULL,          "CRAM-MD5",           false, false,
         false                                                                                                   },
        {"PLAIN LOGIN CRAM-MD5",      "noplaintext",     NULL,          "CRAM-MD5",           false, false,
         false                                                                                                   },
        {"PLAIN LOGIN",               "noplaintext",     NULL,          NULL,                 false, false, false},
        {"PLAIN LOGIN XOAUTH2",       "noplaintext",     NULL,          NULL,                 false, false, false},
        {"PLAIN SCRAM-SHA-1",         "mutual_auth",     NULL,          "SCRAM-SHA-1",        false, false,
         false                                                                                                   },
        {"CRAM-MD5 PLAIN",            "mutual_auth",     NULL,          NULL,                 false, false, false},
        {ALL,                         "forward_secrecy", NULL,          NULL,                 true,  false, false},
        {"PLAIN XOAUTH2 OAUTHBEARER", "",                NULL,          "PLAIN",              false, false, false},
        {ALL,                         "",                "XOAUTH2",     "XOAUTH2",            true,  false, false},
        {ALL,                         "",                "LOGIN PLAIN", "PLAIN",              true,  false, false},
        {ALL,                         "",                "",            NULL,                 true,  false, false},
        {"GSSAPI NTLM",               "",                NULL,          NULL,                 false, false, false},
        {"",                          "",                NULL,          NULL,                 false, false, false},
        {"SCRAM-SHA-256-PLUS",        "",                NULL,          NULL,                 false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sasl_login login = {
            .user = S("user"),
            .password = cases[i].no_password ? S("") : S("pencil"),
            .tls = true,
            .certificate = cases[i].certificate};
        unsigned options;
        struct str bad;

        if (cases[i].bound)
            login.bindings[0] =
                (struct sasl_binding){S("tls-exporter"), S("bytes")};
        assert_true(
            sasl_options_parse(str_from(cases[i].options), &options, &bad));
        const struct sasl_mech *m =
            sasl_client_choose(&login, str_from(cases[i].offered), options,
                               cases[i].filter ? filter : NULL,
                               (void *)(uintptr_t)cases[i].filter);
        const char *got = m ? m->name : "none";

        if (strcmp(got, cases[i].want ? cases[i].want : "none") != 0)
            fail_msg("case %zu: %s", i, got);
    }
}

/* RFC 5802, 5 and RFC 7677, 3. */
static void
scram_rfc(void **state)
{
    static const struct {
        const char *mech;
        struct str nonce, first, challenge, final, signature;
    } cases[] = {
        {"SCRAM-SHA-1",   S("fyko+d2lbbFgONRv9qkxdawL"),
         S("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"),
         S("r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
           "s=QSXCR+Q6sek8bf92,i=4096"),
         S("c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
           "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="),
         S("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")                },
        {"SCRAM-SHA-256", S("rOprNGfwEbeRWgbNEkqO"),
         S("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"),
         S("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
           "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
         S("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
           "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
         S("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sasl_login login = {.user = S("user"),
                                   .password = S("pencil"),
                                   .nonce = cases[i].nonce};
        struct sasl_client *c;
        struct str out;
        struct why why;

        assert_int_equal(
            sasl_client_start(scratch, sasl_mech_find(str_from(cases[i].mech)),
                              &login, S(ALL), &c, &out, &why),
            OK);
        assert_str(out, cases[i].first);
        /* Success would come too early. */
        assert_int_equal(sasl_client_finish(c, S(""), &why), PERM);
        assert_int_equal(sasl_client_step(c, cases[i].challenge, &out, &why),
                         OK);
        assert_str(out, cases[i].final);
        assert_int_equal(sasl_client_finish(c, S(""), &why), PERM);
        assert_int_equal(sasl_client_step(c, cases[i].signature, &out, &why),
                         OK);
        assert_str(out, S(""));
        assert_int_equal(sasl_client_finish(c, S(""), &why), OK);
        assert_int_equal(sasl_client_step(c, S(""), &out, &why), PERM);
        sasl_client_end(c);
    }
}

static void
scram_false_servers(void **state)
{
    static const struct {
        struct str challenge, signature;
    } cases[] = {
        {S(""),                                                 S("")               },
        {S("r=abc,s=QSXCR+Q6sek8bf92,i=4096"),                  S("")               },
        {S("r=abX,s=QSXCR+Q6sek8bf92,i=4096"),                  S("")               },
        {S("r=abcd,s=,i=4096"),                                 S("")               },
        {S("r=abcd,s=####,i=4096"),                             S("")               },
        {S("r=abcd,s=QSXCR+Q6sek8bf92,i=0"),                    S("")               },
        {S("r=abcd,s=QSXCR+Q6sek8bf92,i=1000001"),              S("")               },
        {S("r=abcd,s=QSXCR+Q6sek8bf92,i=99999999999999999999"), S("")               },
        {S("r=abcd,s=QSXCR+Q6sek8bf92"),                        S("")               },
        {S("m=x,r=abcd,s=QSXCR+Q6sek8bf92,i=1"),                S("")               },
        {S("r=abcd,s=QSXCR+Q6sek8bf92,i=1"),                    S("")               },
        {S("r=abcd,s=QSXCR+Q6sek8bf92,i=1"),                    S("v=")             },
        {S("r=abcd,s=QSXCR+Q6sek8bf92,i=1"),
         S("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")                                        },
        {S("r=abcd,s=QSXCR+Q6sek8bf92,i=1"),                    S("e=invalid-proof")},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sasl_login login = {
            .user = S("user"), .password = S("pencil"), .nonce = S("abc")};
        struct sasl_client *c;
        struct str out;
        struct why why;

        assert_int_equal(sasl_client_start(scratch,
                                           sasl_mech_find(S("SCRAM-SHA-1")),
                                           &login, S(ALL), &c, &out, &why),
                         OK);
        if (sasl_client_step(c, cases[i].challenge, &out, &why) == OK &&
            (sasl_client_step(c, cases[i].signature, &out, &why) == OK ||
             sasl_client_finish(c, S(""), &why) == OK))
            fail_msg("case %zu", i);
        if (i == COUNT(cases) - 1)
            assert_str(sasl_client_said(c), S("invalid-proof"));
    }
}

/* What the header says of channel binding. */
static void
scram_headers(void **state)
{
    static const struct {
        const char *mech, *offered, *starts;
        bool bound;
    } cases[] = {
        {"SCRAM-SHA-256",      "SCRAM-SHA-256", "n,,",              false},
        {"SCRAM-SHA-256",      "SCRAM-SHA-256", "y,,",              true },
        {"SCRAM-SHA-256",      ALL,             "n,,",              true },
        {"SCRAM-SHA-256-PLUS", ALL,             "p=tls-exporter,,", true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sasl_login login = {.user = S("a,b=c"), .password = S("pencil")};
        struct sasl_client *c;
        struct str out;
        struct why why;

        if (cases[i].bound) {
            login.bindings[0] =
                (struct sasl_binding){S("tls-server-end-point"), S("x")};
            login.bindings[1] =
                (struct sasl_binding){S("tls-exporter"), S("x")};
        }
        assert_int_equal(
            sasl_client_start(scratch, sasl_mech_find(str_from(cases[i].mech)),
                              &login, str_from(cases[i].offered), &c, &out,
                              &why),
            OK);
        assert_true(str_starts(
            out,
            str_from(arena_fmt(scratch, "%sn=a=2Cb=3Dc,r=", cases[i].starts))));
    }
}

/* RFC 2195, 3. */
static void
cram_md5_rfc(void **state)
{
    struct sasl_login login = {.user = S("tim"),
                               .password = S("tanstaaftanstaaf")};
    struct sasl_client *c;
    struct str out;
    struct why why;

    (void)state;
    assert_int_equal(sasl_client_start(scratch, sasl_mech_find(S("CRAM-MD5")),
                                       &login, S(ALL), &c, &out, &why),
                     OK);
    assert_null(out.p);
    assert_int_equal(
        sasl_client_step(c, S("<1896.697170952@postoffice.reston.mci.net>"),
                         &out, &why),
        OK);
    assert_str(out, S("tim b913a602c7eda7a495b4e6e7334d3890"));
    assert_int_equal(sasl_client_finish(c, S(""), &why), OK);
    assert_int_equal(sasl_client_step(c, S("<again>"), &out, &why), PERM);
}

/* RFC 7628, 4.1; RFC 4616, 4. */
static void
messages(void **state)
{
    static const struct {
        const char *mech;
        struct sasl_login login;
        struct str want;
    } cases[] = {
        {"PLAIN",
         {.user = S("tim"), .password = S("tanstaaftanstaaf")},
         S("\0tim\0tanstaaftanstaaf")                                                                 },
        {"PLAIN",
         {.user = S("Kurt"), .password = S("xipj3plmq"), .authzid = S("Ursel")},
         S("Ursel\0Kurt\0xipj3plmq")                                                                  },
        {"OAUTHBEARER",
         {.user = S("user@example.com"),
          .password = S("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="),
          .host = S("server.example.com"),
          .port = 587},
         S("n,a=user@example.com,\001host=server.example.com\001port=587\001"
           "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\001\001")                          },
        {"XOAUTH2",
         {.user = S("someuser@example.com"), .password = S("ya29.vF9dft4qmTc")},
         S("user=someuser@example.com\001auth=Bearer ya29.vF9dft4qmTc\001"
           "\001")                                                                                    },
        {"EXTERNAL",    {.user = S("fred@example.com")},                         S("fred@example.com")},
        {"EXTERNAL",    {.user = S("")},                                         S("")                },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sasl_client *c;
        struct str out;
        struct why why;

        assert_int_equal(
            sasl_client_start(scratch, sasl_mech_find(str_from(cases[i].mech)),
                              &cases[i].login, S(ALL), &c, &out, &why),
            OK);
        assert_non_null(out.p);
        assert_str(out, cases[i].want);
        sasl_client_end(c);
    }
}

static void
token_errors(void **state)
{
    static const char *const mechs[] = {"OAUTHBEARER", "XOAUTH2"};
    struct sasl_login login = {.user = S("u"), .password = S("t")};

    (void)state;
    for (size_t i = 0; i < COUNT(mechs); i++) {
        struct sasl_client *c;
        struct str out;
        struct why why;

        assert_int_equal(sasl_client_start(scratch,
                                           sasl_mech_find(str_from(mechs[i])),
                                           &login, S(ALL), &c, &out, &why),
                         OK);
        assert_int_equal(
            sasl_client_step(c, S("{\"status\":\"401\"}\n"), &out, &why), OK);
        assert_str(out, i == 0 ? S("\001") : S(""));
        assert_str(sasl_client_said(c), S("{\"status\":\"401\"}?"));
        assert_int_equal(sasl_client_step(c, S(""), &out, &why), PERM);
    }
}

static void
unusable(void **state)
{
    static const struct sasl_login cases[] = {
        {.user = S("a\0b"),      .password = S("x")},
        {              .user = S("a"), .password = S("x\0y")                  },
        { .user = S("a"),    .password = S("x"),                      .authzid = S("\0")},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sasl_client *c;
        struct str out;
        struct why why;

        assert_int_equal(sasl_client_start(scratch, sasl_mech_find(S("PLAIN")),
                                           &cases[i], S(ALL), &c, &out, &why),
                         PERM);
    }
}

/* The two sides of this house with each other. */
static enum sasl_step
answer(struct sasl *s, enum sasl_step step)
{
    struct sasl_found found = {.verdict = SASL_YES};
    struct why why;

    if (step == SASL_PASSWORD)
        return sasl_verdict(
            s, str_eq(s->password, S("pencil")) ? SASL_YES : SASL_NO,
            (struct str){0});
    if (step == SASL_TOKEN)
        return sasl_verdict(s,
                            str_eq(s->token, S("pencil")) ? SASL_YES : SASL_NO,
                            (struct str){0});
    if (step == SASL_IDENTITY)
        return sasl_verdict(s, SASL_YES, (struct str){0});
    if (step != SASL_CREDENTIALS)
        return step;
    assert_int_equal(scheme_credentials(scratch, S("{PLAIN}pencil"), "PLAIN",
                                        s->scheme, s->user, S("secret"),
                                        &found.data, &why),
                     OK);
    return sasl_credentials(s, &found);
}

static bool
converse(const struct sasl_mech *m, const struct sasl_login *login,
         const struct sasl_peer *peer)
{
    struct sasl_client *c;
    struct sasl *s;
    struct str out;
    struct why why;

    if (sasl_client_start(scratch, m, login, S(ALL), &c, &out, &why) != OK)
        return false;
    enum sasl_step step = sasl_start(scratch, m, peer, out.p ? &out : NULL, &s);

    for (;;) {
        step = answer(s, step);
        if (step == SASL_FAILED)
            return false;
        if (step == SASL_DONE)
            return sasl_client_finish(c, s->out, &why) == OK;
        assert_int_equal(step, SASL_CHALLENGE);
        if (sasl_client_step(c, s->out, &out, &why) != OK)
            return false;
        step = sasl_feed(s, out);
    }
}

static void
both_sides(void **state)
{
    (void)state;
    for (size_t i = 0; i < SASL_COUNT; i++)
        for (int carried = 0; carried <= 1; carried++) {
            struct sasl_login login = {
                .user = S("user"), .password = S("pencil"), .tls = true};
            struct sasl_peer peer = {.hostname = S("mx"),
                                     .secured = true,
                                     .plus_offered = true,
                                     .final_data = carried,
                                     .cert_valid = true,
                                     .cert_name = S("user"),
                                     .secret = S("secret")};

            login.bindings[0] = peer.bindings[0] =
                (struct sasl_binding){S("tls-exporter"), S("same")};
            if (!converse(&sasl_mechs[i], &login, &peer))
                fail_msg("%s", sasl_mechs[i].name);
            login.password = S("crayon");
            assert_int_equal(converse(&sasl_mechs[i], &login, &peer),
                             i == SASL_EXTERNAL);
            /* Somebody in between, with two connections. */
            login.password = S("pencil");
            login.bindings[0].data = S("other");
            assert_int_equal(converse(&sasl_mechs[i], &login, &peer),
                             !(sasl_mechs[i].properties & SASL_BINDING));
        }
}

TESTS(SCRATCH_TEST(choice), SCRATCH_TEST(scram_rfc),
      SCRATCH_TEST(scram_false_servers), SCRATCH_TEST(scram_headers),
      SCRATCH_TEST(cram_md5_rfc), SCRATCH_TEST(messages),
      SCRATCH_TEST(token_errors), SCRATCH_TEST(unusable),
      SCRATCH_TEST(both_sides))
