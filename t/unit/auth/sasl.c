#include "auth/sasl.h"

#include "auth/scram.h"
#include "base/buf.h"
#include "mail/base64.h"
#include "unit/test.h"

/* What the callers' look-ups know. */
#define USER     S("user")
#define PASSWORD S("pencil")
#define TOKEN    S("vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg==")

struct world {
    struct arena *arena;
    struct sasl_peer peer;
    struct str salt, cram; /* of the stored credentials */
    unsigned rounds;
    enum sasl_verdict verdict; /* for who is right */
    struct str login;
};

static void
setup(struct world *w)
{
    *w = (struct world){
        .arena = arena_new("test", 4 << 20),
        .peer = {.service = S("smtp"),
                 .hostname = S("mail.example.org"),
                 .secured = true,
                 .secret = S("sixteen bytes or more")},
        .salt = S("W22ZaJ0SNY7soEsUEjb6gQ=="),
        .rounds = 4096,
        .verdict = SASL_YES,
    };
}

static struct str
raw(struct world *w, struct str base64)
{
    struct buf b = buf_in(w->arena);

    assert_true(base64_decode(&b, base64));
    return buf_str(&b);
}

static struct str
scram_data(struct world *w, const char *scheme)
{
    enum digest d = strcmp(scheme, "SCRAM-SHA-1") ? DIGEST_SHA256 : DIGEST_SHA1;
    struct str salt = raw(w, w->salt);
    struct scram_keys keys = {.rounds = w->rounds, .salt_len = salt.len};
    struct buf b = buf_in(w->arena);

    memcpy(keys.salt, salt.p, salt.len);
    scram_keys_make(d, PASSWORD, &keys);
    scram_keys_print(&b, d, &keys);
    return buf_str(&b);
}

static struct str
cram_data(struct world *w)
{
    struct buf b = buf_in(w->arena);
    uint8_t half[32];

    digest_hmac_md5_state(PASSWORD, half);
    for (size_t i = 0; i < sizeof half; i++)
        buf_fmt(&b, "%02x", half[i]);
    return buf_str(&b);
}

/* Answer what the exchange asks of its caller. */
static enum sasl_step
answer(struct world *w, struct sasl *s, enum sasl_step step)
{
    bool known = str_eq(s->user, USER);
    bool right = step == SASL_PASSWORD ? str_eq(s->password, PASSWORD)
                 : step == SASL_TOKEN  ? str_eq(s->token, TOKEN)
                                       : true;
    struct sasl_found found = {.verdict = w->verdict, .login = w->login};

    switch (step) {
    case SASL_PASSWORD:
    case SASL_IDENTITY:
        right &= known;
        /* fall through */
    case SASL_TOKEN:
        return sasl_verdict(s, right ? w->verdict : SASL_NO, w->login);
    case SASL_CREDENTIALS:
        found.data = !known                          ? S("")
                     : strcmp(s->scheme, "CRAM-MD5") ? scram_data(w, s->scheme)
                                                     : cram_data(w);
        return sasl_credentials(s, &found);
    default:
        return step;
    }
}

static enum sasl_step
begin(struct world *w, const char *mech, const struct str *initial,
      struct sasl **s)
{
    const struct sasl_mech *m = sasl_mech_find(str_from(mech));

    assert_non_null(m);
    enum sasl_step step = sasl_start(w->arena, m, &w->peer, initial, s);

    return answer(w, *s, step);
}

static enum sasl_step
start(struct world *w, const char *mech, struct str initial, struct sasl **s)
{
    const struct sasl_mech *m = sasl_mech_find(str_from(mech));
    enum sasl_step step = sasl_start(w->arena, m, &w->peer, &initial, s);

    return answer(w, *s, step);
}

static enum sasl_step
feed(struct world *w, struct sasl *s, struct str response)
{
    return answer(w, s, sasl_feed(s, response));
}

static void
plain(void **state)
{
    static const struct {
        struct str in;
        enum sasl_step step;
        enum sasl_failure failure;
        const char *login;
    } cases[] = {
        {S("\0user\0pencil"),      SASL_DONE,   SASL_NOT_FAILED, "user" },
        {S("user\0user\0pencil"),  SASL_DONE,   SASL_NOT_FAILED, "user" },
        {S("other\0user\0pencil"), SASL_DONE,   SASL_NOT_FAILED, "other"},
        {S("\0user\0pen"),         SASL_FAILED, SASL_WRONG,      NULL   },
        {S("\0nobody\0pencil"),    SASL_FAILED, SASL_WRONG,      NULL   },
        {S("\0user\0"),            SASL_FAILED, SASL_MALFORMED,  NULL   },
        {S("\0\0pencil"),          SASL_FAILED, SASL_MALFORMED,  NULL   },
        {S("\0user\0pencil\0"),    SASL_FAILED, SASL_MALFORMED,  NULL   },
        {S("user\0pencil"),        SASL_FAILED, SASL_MALFORMED,  NULL   },
        {S("user"),                SASL_FAILED, SASL_MALFORMED,  NULL   },
        {S(""),                    SASL_FAILED, SASL_MALFORMED,  NULL   },
        {S("\0us\001er\0pencil"),  SASL_FAILED, SASL_MALFORMED,  NULL   },
        {S("\0us\377er\0pencil"),  SASL_FAILED, SASL_MALFORMED,  NULL   },
        {S("\0user\0pen\377cil"),  SASL_FAILED, SASL_MALFORMED,  NULL   },
        {S("\n\0user\0pencil"),    SASL_FAILED, SASL_MALFORMED,  NULL   },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (int late = 0; late <= 1; late++) {
            struct world w;
            struct sasl *s;
            enum sasl_step step;

            setup(&w);
            if (late) {
                assert_int_equal(begin(&w, "PLAIN", NULL, &s), SASL_CHALLENGE);
                assert_str(s->out, S(""));
                step = feed(&w, s, cases[i].in);
            } else {
                step = start(&w, "PLAIN", cases[i].in, &s);
            }
            if (step != cases[i].step || s->failure != cases[i].failure)
                fail_msg("case %zu: step %d, failure %d", i, (int)step,
                         (int)s->failure);
            if (cases[i].login)
                assert_str(s->login, str_from(cases[i].login));
            sasl_end(s);
            arena_free(w.arena);
        }
}

static void
verdicts(void **state)
{
    static const struct {
        enum sasl_verdict verdict;
        enum sasl_failure failure;
    } cases[] = {
        {SASL_TEMPORARY,    SASL_TEMP_FAIL    },
        {SASL_DISABLED,     SASL_USER_DISABLED},
        {SASL_EXPIRED,      SASL_PASS_EXPIRED },
        {SASL_UNAUTHORIZED, SASL_AUTHZ_FAIL   },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct world w;
        struct sasl *s;

        setup(&w);
        w.verdict = cases[i].verdict;
        assert_int_equal(start(&w, "PLAIN", S("\0user\0pencil"), &s),
                         SASL_FAILED);
        assert_int_equal(s->failure, cases[i].failure);
        assert_int_equal(start(&w, "PLAIN", S("\0user\0wrong"), &s),
                         SASL_FAILED);
        assert_int_equal(s->failure, SASL_WRONG);
        arena_free(w.arena);
    }
}

static void
login_is_what_the_caller_says(void **state)
{
    struct world w;
    struct sasl *s;

    (void)state;
    setup(&w);
    w.login = S("user@example.org");
    assert_int_equal(start(&w, "PLAIN", S("\0user\0pencil"), &s), SASL_DONE);
    assert_str(s->login, S("user@example.org"));
    arena_free(w.arena);
}

static void
passwords_are_prepared(void **state)
{
    struct world w;
    struct sasl *s;
    const struct sasl_mech *m = sasl_mech_find(S("PLAIN"));
    struct str in = S("\0user\0jose\314\201"), other = S("\0user\0a\tb");

    (void)state;
    setup(&w);
    assert_int_equal(sasl_start(w.arena, m, &w.peer, &in, &s), SASL_PASSWORD);
    assert_str(s->password, S("jos\303\251"));
    assert_str(s->raw, S("jose\314\201"));
    struct str was = s->password;
    sasl_end(s);
    assert_memory_equal(was.p, "\0\0\0\0\0", 5);
    /* What cannot be prepared may still be somebody's password. */
    assert_int_equal(sasl_start(w.arena, m, &w.peer, &other, &s),
                     SASL_PASSWORD);
    assert_str(s->password, S("a\tb"));
    assert_str(s->raw, S(""));
    arena_free(w.arena);
}

static void
login(void **state)
{
    struct world w;
    struct sasl *s;

    (void)state;
    setup(&w);
    assert_int_equal(begin(&w, "LOGIN", NULL, &s), SASL_CHALLENGE);
    assert_str(s->out, S("Username:"));
    assert_int_equal(feed(&w, s, S("user")), SASL_CHALLENGE);
    assert_str(s->out, S("Password:"));
    assert_int_equal(feed(&w, s, S("pencil")), SASL_DONE);
    /* Nothing may come behind. */
    assert_int_equal(feed(&w, s, S("more")), SASL_FAILED);
    assert_int_equal(start(&w, "LOGIN", S("user"), &s), SASL_CHALLENGE);
    assert_str(s->out, S("Password:"));
    assert_int_equal(feed(&w, s, S("wrong")), SASL_FAILED);
    assert_int_equal(s->failure, SASL_WRONG);
    assert_int_equal(start(&w, "LOGIN", S("us\0er"), &s), SASL_FAILED);
    assert_int_equal(start(&w, "LOGIN", S(""), &s), SASL_FAILED);
    arena_free(w.arena);
}

static void
needs_tls(void **state)
{
    static const char *const mechs[] = {"PLAIN", "LOGIN", "OAUTHBEARER",
                                        "XOAUTH2"};

    (void)state;
    for (size_t i = 0; i < COUNT(mechs); i++) {
        struct world w;
        struct sasl *s;

        setup(&w);
        w.peer.secured = false;
        assert_int_equal(begin(&w, mechs[i], NULL, &s), SASL_FAILED);
        assert_int_equal(s->failure, SASL_NEEDS_TLS);
        arena_free(w.arena);
    }
}

static void
external(void **state)
{
    struct world w;
    struct sasl *s;

    (void)state;
    setup(&w);
    assert_int_equal(start(&w, "EXTERNAL", S(""), &s), SASL_FAILED);
    w.peer.cert_name = S("user");
    assert_int_equal(start(&w, "EXTERNAL", S(""), &s), SASL_FAILED);
    w.peer.cert_valid = true;
    assert_int_equal(start(&w, "EXTERNAL", S(""), &s), SASL_DONE);
    assert_str(s->login, S("user"));
    assert_int_equal(start(&w, "EXTERNAL", S("other"), &s), SASL_DONE);
    assert_str(s->login, S("other"));
    w.peer.cert_name = S("nobody");
    assert_int_equal(start(&w, "EXTERNAL", S(""), &s), SASL_FAILED);
    assert_int_equal(s->failure, SASL_WRONG);
    arena_free(w.arena);
}

/* RFC 2195, 3; there the secret is "tanstaaftanstaaf". */
static void
cram_md5_rfc(void **state)
{
    struct world w;
    struct sasl *s;
    struct buf b;
    uint8_t half[32];
    const struct sasl_mech *m = sasl_mech_find(S("CRAM-MD5"));

    (void)state;
    setup(&w);
    b = buf_in(w.arena);
    w.peer.nonce = S("<1896.697170952@postoffice.reston.mci.net>");
    assert_int_equal(sasl_start(w.arena, m, &w.peer, NULL, &s), SASL_CHALLENGE);
    assert_str(s->out, w.peer.nonce);
    assert_int_equal(sasl_feed(s, S("tim b913a602c7eda7a495b4e6e7334d3890")),
                     SASL_CREDENTIALS);
    assert_str(s->user, S("tim"));
    digest_hmac_md5_state(S("tanstaaftanstaaf"), half);
    for (size_t i = 0; i < sizeof half; i++)
        buf_fmt(&b, "%02x", half[i]);
    assert_int_equal(
        sasl_credentials(s, &(struct sasl_found){buf_str(&b), SASL_YES, {0}}),
        SASL_DONE);
    assert_str(s->login, S("tim"));
    arena_free(w.arena);
}

static void
cram_md5_refused(void **state)
{
    static const struct str cases[] = {
        S("user 00000000000000000000000000000000"),
        S("nobody 00000000000000000000000000000000"),
        S("user 0000000000000000000000000000000"),
        S("user"),
        S(" 00000000000000000000000000000000"),
        S("user 0000000000000000000000000000000g"),
        S("u\0r 00000000000000000000000000000000"),
        S(""),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct world w;
        struct sasl *s;

        setup(&w);
        assert_int_equal(start(&w, "CRAM-MD5", S("x"), &s), SASL_FAILED);
        assert_int_equal(begin(&w, "CRAM-MD5", NULL, &s), SASL_CHALLENGE);
        assert_true(str_ends(s->out, S("@mail.example.org>")));
        assert_int_equal(feed(&w, s, cases[i]), SASL_FAILED);
        assert_int_equal(s->failure, i < 2 ? SASL_WRONG : SASL_MALFORMED);
        arena_free(w.arena);
    }
}

/* RFC 5802, 5 and RFC 7677, 3. */
static const struct rfc {
    const char *mech;
    struct str salt, nonce, first, challenge, final, signature;
} rfcs[] = {
    {"SCRAM-SHA-1",   S("QSXCR+Q6sek8bf92"),         S("3rfcNHYJY1ZVvWVs7j"),
     S("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"),
     S("r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
       "s=QSXCR+Q6sek8bf92,i=4096"),
     S("c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
       "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="),
     S("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")                },
    {"SCRAM-SHA-256", S("W22ZaJ0SNY7soEsUEjb6gQ=="),
     S("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"),                                     S("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"),
     S("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
       "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
     S("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
       "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
     S("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")},
};

static void
scram_rfc(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rfcs); i++)
        for (int carried = 0; carried <= 1; carried++) {
            const struct rfc *rfc = &rfcs[i];
            struct world w;
            struct sasl *s;

            setup(&w);
            w.salt = rfc->salt;
            w.peer.nonce = rfc->nonce;
            w.peer.final_data = carried;
            assert_int_equal(start(&w, rfc->mech, rfc->first, &s),
                             SASL_CHALLENGE);
            assert_str(s->out, rfc->challenge);
            assert_int_equal(feed(&w, s, rfc->final),
                             carried ? SASL_DONE : SASL_CHALLENGE);
            assert_str(s->out, rfc->signature);
            if (!carried) {
                assert_int_equal(feed(&w, s, S("")), SASL_DONE);
                assert_str(s->out, S(""));
            }
            assert_str(s->login, S("user"));
            sasl_end(s);
            arena_free(w.arena);
        }
}

/* Replies to SCRAM-SHA-256's example that must fail. */
static void
scram_refused(void **state)
{
    static const struct {
        const char *mech;
        struct str first, final;
        enum sasl_failure failure;
    } cases[] = {
#define R "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define P "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        {"SCRAM-SHA-256",      S("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"),
                                                                  S("c=biws," R ",p=eHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
                                                                  SASL_WRONG                                                                                     },
        {"SCRAM-SHA-256",      S("n,,n=nobody,r=rOprNGfwEbeRWgbNEkqO"),
                                                                  S("c=biws," R "," P),                                                          SASL_WRONG      },
        {"SCRAM-SHA-256",      S("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"),
                                                                  S("c=eSws," R "," P),                                                          SASL_BAD_BINDING},
        {"SCRAM-SHA-256",      S("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"),
                                                                  S("c=biws,r=other," P),                                                        SASL_MALFORMED  },
        {"SCRAM-SHA-256",      S("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"),
                                                                  S("c=biws," R ",p=dHzb"),                                                      SASL_MALFORMED  },
        {"SCRAM-SHA-256",      S("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"),   S("c=biws," R),
                                                                  SASL_MALFORMED                                                                                 },
        {"SCRAM-SHA-256",      S("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"),   S(""),
                                                                  SASL_MALFORMED                                                                                 },
        {"SCRAM-SHA-256",      S("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"),
                                                                  S("c=biws,\0" R "," P),                                                        SASL_MALFORMED  },
        {"SCRAM-SHA-256",      S("n,,r=x,n=user"),                      S(""),          SASL_MALFORMED  },
        {"SCRAM-SHA-256",      S("n,,m=x,n=user,r=x"),                  S(""),          SASL_MALFORMED  },
        {"SCRAM-SHA-256",      S("n,,n=user,r="),                       S(""),          SASL_MALFORMED  },
        {"SCRAM-SHA-256",      S("n,,n=,r=x"),                          S(""),          SASL_MALFORMED  },
        {"SCRAM-SHA-256",      S("n,,n=a=b,r=x"),                       S(""),          SASL_MALFORMED  },
        {"SCRAM-SHA-256",      S("n,,n=a\0b,r=x"),                      S(""),          SASL_MALFORMED  },
        {"SCRAM-SHA-256",      S("n,,n=a,r=x\001"),                     S(""),          SASL_MALFORMED  },
        {"SCRAM-SHA-256",      S("n,b=x,n=a,r=x"),                      S(""),          SASL_MALFORMED  },
        {"SCRAM-SHA-256",      S("z,,n=a,r=x"),                         S(""),          SASL_MALFORMED  },
        {"SCRAM-SHA-256",      S("n"),                                  S(""),          SASL_MALFORMED  },
        {"SCRAM-SHA-256",      S(""),                                   S(""),          SASL_MALFORMED  },
        {"SCRAM-SHA-256",      S("y,,n=user,r=x"),                      S(""),          SASL_BAD_BINDING},
        {"SCRAM-SHA-256",      S("p=tls-exporter,,n=user,r=x"),         S(""),
                                                                  SASL_BAD_BINDING                                                                               },
        {"SCRAM-SHA-256-PLUS", S("n,,n=user,r=x"),                      S(""),          SASL_BAD_BINDING},
        {"SCRAM-SHA-256-PLUS", S("y,,n=user,r=x"),                      S(""),          SASL_BAD_BINDING},
        {"SCRAM-SHA-256-PLUS", S("p=tls-unique,,n=user,r=x"),           S(""),
                                                                  SASL_BAD_BINDING                                                                               },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct world w;
        struct sasl *s;

        setup(&w);
        w.peer.nonce = rfcs[1].nonce;
        w.peer.plus_offered = true;
        w.peer.bindings[0] =
            (struct sasl_binding){S("tls-exporter"), S("exported")};
        enum sasl_step step = start(&w, cases[i].mech, cases[i].first, &s);

        if (step == SASL_CHALLENGE)
            step = feed(&w, s, cases[i].final);
        if (step != SASL_FAILED || s->failure != cases[i].failure)
            fail_msg("case %zu: step %d, %s", i, (int)step,
                     s->text ? s->text : "");
        arena_free(w.arena);
    }
}

/* Without an offer of -PLUS "y" is right. */
static void
scram_flag_y(void **state)
{
    struct world w;
    struct sasl *s;

    (void)state;
    setup(&w);
    assert_int_equal(start(&w, "SCRAM-SHA-1", S("y,,n=user,r=x"), &s),
                     SASL_CHALLENGE);
    arena_free(w.arena);
}

/* A user who is not there is answered alike, always with the same salt, and
 * fails at the same step for the same reason. */
static void
no_oracle(void **state)
{
    static const char *const mechs[] = {"SCRAM-SHA-1", "SCRAM-SHA-256"};
    static const struct str firsts[] = {
        S("n,,n=user,r=abc"), S("n,,n=nobody,r=abc"), S("n,,n=nobody,r=abc")};

    (void)state;
    for (size_t m = 0; m < COUNT(mechs); m++) {
        struct str said[3], proof;
        struct world w;
        struct sasl *s;

        setup(&w);
        w.peer.nonce = S("def");
        w.peer.scram_rounds = w.rounds;
        for (size_t i = 0; i < COUNT(firsts); i++) {
            assert_int_equal(start(&w, mechs[m], firsts[i], &s),
                             SASL_CHALLENGE);
            said[i] = s->out;
            proof = m ? S("c=biws,r=abcdef,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsq"
                          "mmiz7AndVQ=")
                      : S("c=biws,r=abcdef,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
            assert_int_equal(feed(&w, s, proof), SASL_FAILED);
            assert_int_equal(s->failure, SASL_WRONG);
        }
        assert_int_equal(said[0].len, said[1].len);
        assert_str(said[1], said[2]);
        assert_true(str_ends(said[1], S(",i=4096")));
        arena_free(w.arena);
    }
}

/* What the look-up says shows only to who has the password. */
static void
scram_verdicts(void **state)
{
    static const struct str proofs[] = {
        S("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
          "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
        S("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
          "p=eHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(proofs); i++) {
        struct world w;
        struct sasl *s;

        setup(&w);
        w.peer.nonce = rfcs[1].nonce;
        w.verdict = SASL_DISABLED;
        assert_int_equal(start(&w, "SCRAM-SHA-256", rfcs[1].first, &s),
                         SASL_CHALLENGE);
        assert_int_equal(feed(&w, s, proofs[i]), SASL_FAILED);
        assert_int_equal(s->failure, i ? SASL_WRONG : SASL_USER_DISABLED);
        w.verdict = SASL_TEMPORARY;
        assert_int_equal(start(&w, "SCRAM-SHA-256", rfcs[1].first, &s),
                         SASL_FAILED);
        assert_int_equal(s->failure, SASL_TEMP_FAIL);
        arena_free(w.arena);
    }
}

/* RFC 7628, 4.1 and 4.3. */
static void
oauthbearer(void **state)
{
    struct world w;
    struct sasl *s;

    (void)state;
    setup(&w);
    w.peer.oauth_scope = S("example_\"scope\"");
    assert_int_equal(
        start(&w, "OAUTHBEARER",
              S("n,a=user,\001host=server.example.com\001port=143\001"
                "auth=Bearer vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg==\001"
                "\001"),
              &s),
        SASL_DONE);
    assert_str(s->login, S("user"));
    assert_int_equal(start(&w, "OAUTHBEARER",
                           S("n,a=user,\001auth=Bearer wrong\001\001"), &s),
                     SASL_CHALLENGE);
    assert_str(s->out, S("{\"status\":\"invalid_token\","
                         "\"scope\":\"example_\\\"scope\\\"\"}"));
    assert_int_equal(feed(&w, s, S("\001")), SASL_FAILED);
    assert_int_equal(s->failure, SASL_WRONG);
    arena_free(w.arena);
}

static void
oauthbearer_user(void **state)
{
    struct world w;
    struct sasl *s;
    struct str in = S("n,,\001auth=Bearer "
                      "vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg==\001\001");

    (void)state;
    setup(&w);
    assert_int_equal(start(&w, "OAUTHBEARER", in, &s), SASL_FAILED);
    w.login = S("known@by.token");
    assert_int_equal(start(&w, "OAUTHBEARER", in, &s), SASL_DONE);
    assert_str(s->login, S("known@by.token"));
    arena_free(w.arena);
}

static void
oauth_refused(void **state)
{
    static const struct {
        const char *mech;
        struct str in;
    } cases[] = {
        {"OAUTHBEARER", S("")                                             },
        {"OAUTHBEARER", S("n,,")                                          },
        {"OAUTHBEARER", S("n,,\001")                                      },
        {"OAUTHBEARER", S("n,,\001\001")                                  },
        {"OAUTHBEARER", S("n,,\001auth=Bearer x")                         },
        {"OAUTHBEARER", S("n,,\001auth=Bearer x\001")                     },
        {"OAUTHBEARER", S("n,,\001auth=Bearer x\001\001y")                },
        {"OAUTHBEARER", S("n,,\001auth=Bearer x\0y\001\001")              },
        {"OAUTHBEARER", S("n,,\001auth=Bearer \001\001")                  },
        {"OAUTHBEARER", S("n,,\001auth=Basic x\001\001")                  },
        {"OAUTHBEARER", S("n,,\001auth=Bearer x\001auth=Bearer y\001\001")},
        {"OAUTHBEARER", S("p=tls-exporter,,\001auth=Bearer x\001\001")    },
        {"OAUTHBEARER", S("n,user,\001auth=Bearer x\001\001")             },
        {"XOAUTH2",     S("")                                             },
        {"XOAUTH2",     S("user=\001auth=Bearer x\001\001")               },
        {"XOAUTH2",     S("user=a\001auth=Bearer x\001")                  },
        {"XOAUTH2",     S("user=a\0b\001auth=Bearer x\001\001")           },
        {"XOAUTH2",     S("auth=Bearer x\001user=a\001\001")              },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct world w;
        struct sasl *s;

        setup(&w);
        if (start(&w, cases[i].mech, cases[i].in, &s) != SASL_FAILED ||
            s->failure != SASL_MALFORMED)
            fail_msg("case %zu", i);
        arena_free(w.arena);
    }
}

static void
xoauth2(void **state)
{
    struct world w;
    struct sasl *s;

    (void)state;
    setup(&w);
    assert_int_equal(
        start(&w, "XOAUTH2",
              S("user=user\001auth=Bearer "
                "vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg==\001\001"),
              &s),
        SASL_DONE);
    assert_int_equal(
        start(&w, "XOAUTH2", S("user=user\001auth=Bearer no\001\001"), &s),
        SASL_CHALLENGE);
    assert_str(s->out, S("{\"status\":\"401\",\"schemes\":\"bearer\"}"));
    assert_int_equal(feed(&w, s, S("")), SASL_FAILED);
    assert_int_equal(s->failure, SASL_WRONG);
    arena_free(w.arena);
}

static void
too_long(void **state)
{
    static const char *const mechs[] = {"PLAIN", "SCRAM-SHA-256", "XOAUTH2",
                                        "LOGIN"};
    static char big[SASL_INPUT_MAX + 1];

    (void)state;
    memset(big, 'a', sizeof big);
    for (size_t i = 0; i < COUNT(mechs); i++)
        for (size_t more = 0; more <= 1; more++) {
            struct world w;
            struct sasl *s;

            setup(&w);
            assert_int_equal(start(&w, mechs[i],
                                   (struct str){big, SASL_INPUT_MAX + more},
                                   &s),
                             SASL_FAILED);
            assert_int_equal(s->failure, SASL_MALFORMED);
            arena_free(w.arena);
        }
}

/* The most that a client can send fits into what a caller gives. */
static void
largest(void **state)
{
    static char fill[SASL_INPUT_MAX];
    struct world w;
    struct sasl *s;
    struct str first, final;

    (void)state;
    memset(fill, 'a', sizeof fill);
    setup(&w);
    first = str_from(arena_fmt(w.arena, "n,,n=%.512s,r=%.512s,x=%.*s", fill,
                               fill, SASL_INPUT_MAX - 1040, fill));
    final = str_from(
        arena_fmt(w.arena, "c=%.*s,r=x,p=x", SASL_INPUT_MAX / 2, fill));
    struct arena *given = arena_new("exchange", SASL_ARENA), *was = w.arena;

    w.arena = given;
    assert_int_equal(start(&w, "SCRAM-SHA-256", first, &s), SASL_CHALLENGE);
    assert_int_equal(feed(&w, s, final), SASL_FAILED);
    arena_reset(given);
    first = str_from(arena_fmt(was, "n,a=%.512s,\001auth=Bearer %.*s\001\001",
                               fill, SASL_INPUT_MAX - 600, fill));
    assert_int_equal(start(&w, "OAUTHBEARER", first, &s), SASL_CHALLENGE);
    assert_int_equal(s->token.len, SASL_INPUT_MAX - 600);
    arena_free(given);
    arena_free(was);
}

TESTS(TEST(plain), TEST(verdicts), TEST(login_is_what_the_caller_says),
      TEST(passwords_are_prepared), TEST(login), TEST(needs_tls),
      TEST(external), TEST(cram_md5_rfc), TEST(cram_md5_refused),
      TEST(scram_rfc), TEST(scram_refused), TEST(scram_flag_y), TEST(no_oracle),
      TEST(scram_verdicts), TEST(oauthbearer), TEST(oauthbearer_user),
      TEST(oauth_refused), TEST(xoauth2), TEST(too_long), TEST(largest))
