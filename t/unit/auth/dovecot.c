#include "auth/dovecot.h"

#include "auth/sasl.h"
#include "unit/scratch.h"

static struct dovecot_line
parse(const char *text)
{
    struct dovecot_line l;
    const char *wrong;

    if (!dovecot_parse(scratch, str_from(text), &l, &wrong))
        fail_msg("\"%s\": %s", text, wrong);
    return l;
}

static void
escaping(void **state)
{
    struct buf b = buf_in(scratch);
    struct str raw = S("a\tb\nc\rd\001e\0f");

    (void)state;
    dovecot_escape(&b, raw);
    assert_str(buf_str(&b), S("a\001tb\001nc\001rd\0011e\0010f"));
    assert_str(dovecot_unescape(scratch, buf_str(&b)), raw);
    /* Anything else is itself; a lonely one at the end is nothing. */
    assert_str(dovecot_unescape(scratch, S("\001x\001")), S("x"));
}

/* What Dovecot 2.3's server says first. */
static void
handshake(void **state)
{
    struct dovecot_line l;

    (void)state;
    l = parse("VERSION\t1\t2");
    assert_int_equal(l.verb, DOVECOT_VERSION);
    assert_int_equal(l.number, 1);
    assert_int_equal(l.minor, 2);
    l = parse("MECH\tPLAIN\tplaintext");
    assert_int_equal(l.verb, DOVECOT_MECH);
    assert_str(l.text, S("PLAIN"));
    assert_int_equal(l.properties, SASL_PLAINTEXT);
    l = parse("MECH\tCRAM-MD5\tdictionary\tactive");
    assert_int_equal(l.properties, SASL_DICTIONARY | SASL_ACTIVE);
    l = parse("MECH\tAPOP\tprivate\tdictionary\tactive");
    assert_true(l.is_private);
    l = parse("MECH\tEXTERNAL\tprivate");
    assert_false(l.is_private);
    l = parse("SPID\t4021");
    assert_int_equal(l.verb, DOVECOT_SPID);
    assert_int_equal(l.number, 4021);
    assert_int_equal(parse("CUID\t1").verb, DOVECOT_CUID);
    l = parse("COOKIE\t4f3e");
    assert_str(l.text, S("4f3e"));
    assert_int_equal(parse("DONE").verb, DOVECOT_DONE);
    assert_int_equal(parse("NEWS\tof\ttomorrow").verb, DOVECOT_OTHER);
}

/* What Postfix and Exim send. */
static void
requests(void **state)
{
    struct dovecot_line l;

    (void)state;
    l = parse("AUTH\t7\tPLAIN\tservice=smtp\tnologin\tlip=192.0.2.1\trip="
              "192.0.2.99\tsecured\tresp=AHRpbQB0YW5zdGFhZg==");
    assert_int_equal(l.verb, DOVECOT_AUTH);
    assert_int_equal(l.id, 7);
    assert_str(l.request.mech, S("PLAIN"));
    assert_str(l.request.service, S("smtp"));
    assert_str(l.request.rip, S("192.0.2.99"));
    assert_str(l.request.lport, S(""));
    assert_true(l.request.nologin && l.request.secured && !l.request.tls);
    assert_true(l.request.has_resp);
    assert_str(l.request.resp, S("\0tim\0tanstaaf"));
    l = parse("AUTH\t1\tEXTERNAL\tservice=imap\tsecured=tls\t"
              "valid-client-cert\tcert_username=a\001tb\tlport=143\t"
              "tls_cipher=X\tnew=thing\tbinding=tls-exporter:YWJj\tresp==");
    assert_true(l.request.tls && l.request.valid_client_cert);
    assert_str(l.request.cert_username, S("a\tb"));
    assert_str(l.request.ssl_cipher, S("X"));
    assert_str(l.request.bindings[0].type, S("tls-exporter"));
    assert_str(l.request.bindings[0].data, S("abc"));
    assert_true(l.request.has_resp && l.request.resp.len == 0 && !l.bad_data);
    l = parse("AUTH\t2\tLOGIN\tservice=smtp");
    assert_false(l.request.has_resp);
    l = parse("CONT\t2\tdGlt");
    assert_int_equal(l.verb, DOVECOT_CONT);
    assert_str(l.data, S("tim"));
    assert_str(parse("CONT\t2\t").data, S(""));
    assert_int_equal(parse("CANCEL\t2").id, 2);
}

/* The far client's bytes are not the near one's fault. */
static void
bad_data(void **state)
{
    struct dovecot_line l;

    (void)state;
    l = parse("AUTH\t2\tPLAIN\tservice=smtp\tresp=####");
    assert_true(l.bad_data);
    assert_int_equal(l.id, 2);
    l = parse("CONT\t3\tnot base64");
    assert_true(l.bad_data);
    assert_int_equal(l.id, 3);
}

static void
broken(void **state)
{
    static const struct str cases[] = {
        S("AUTH"),
        S("AUTH\t"),
        S("AUTH\tx\tPLAIN\tservice=smtp"),
        S("AUTH\t4294967296\tPLAIN\tservice=smtp"),
        S("AUTH\t1\tPLAIN"),
        S("AUTH\t1\tPLAIN\tservice=smtp\tresp=YQ==\tuser=x"),
        S("AUTH\t1\tPLAIN\tservice=smtp\tbinding=x"),
        S("AUTH\t1\tPLAIN\tservice=smtp\tbinding=x:YQ==\tbinding=x:YQ==\t"
          "binding=x:YQ==\tbinding=x:YQ=="),
        S("AUTH\t1\tPLAIN\tservice=sm\0tp"),
        S("CONT"),
        S("CONT\t-1\tYQ=="),
        S("CANCEL"),
        S("CPID\tx"),
        S("VERSION\t1"),
        S("VERSION\tx\t1"),
        S("OK\tx"),
        S("USER\t1"),
        S("MECH"),
    };
    struct dovecot_line l;
    struct buf b = buf_in(scratch);
    const char *wrong;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (dovecot_parse(scratch, cases[i], &l, &wrong))
            fail_msg("case %zu", i);
    for (size_t i = 0; i < 1000; i++)
        buf_add(&b, S("AUTH\tx"));
    assert_false(dovecot_parse(scratch, buf_str(&b), &l, &wrong));
    buf_reset(&b);
    while (b.len <= DOVECOT_LINE_MAX)
        buf_add(&b, S("x"));
    assert_false(dovecot_parse(scratch, buf_str(&b), &l, &wrong));
    assert_true(dovecot_parse(scratch, (struct str){NULL, 0}, &l, &wrong));
}

/* A response of the greatest length goes through. */
static void
longest(void **state)
{
    struct dovecot_line l;
    struct buf b = buf_in(scratch);
    const char *wrong;
    char *data = arena_alloc(scratch, SASL_INPUT_MAX + 1);
    struct dovecot_request r = {
        .id = 1,
        .mech = S("XOAUTH2"),
        .service = S("smtp"),
        .has_resp = true,
        .resp = {data, SASL_INPUT_MAX}
    };

    (void)state;
    dovecot_put_auth(&b, &r);
    b.len--;
    assert_true(dovecot_parse(scratch, buf_str(&b), &l, &wrong));
    assert_true(!l.bad_data && l.request.resp.len == SASL_INPUT_MAX);
    buf_reset(&b);
    r.resp.len++;
    dovecot_put_auth(&b, &r);
    b.len--;
    assert_true(dovecot_parse(scratch, buf_str(&b), &l, &wrong));
    assert_true(l.bad_data);
}

static void
replies(void **state)
{
    static const struct {
        const char *line;
        enum dovecot_verb verb;
        struct dovecot_reply want;
    } cases[] = {
        {"OK\t1\tuser=tim@example.org",
         DOVECOT_OK,                                               {.user = S("tim@example.org")}                             },
        {"OK\t1\tuser=tim\tresp=dj1h\tnew=x",
         DOVECOT_OK,                                               {.user = S("tim"), .resp = S("v=a")}                       },
        {"OK\t1\tuser=tim\tnologin\treason=go away",
         DOVECOT_OK,                                               {.user = S("tim"), .nologin = true, .reason = S("go away")}},
        {"OK\t1\tuser=tim\tproxy\thost=x",
         DOVECOT_OK,                                               {.user = S("tim"), .nologin = true}                        },
        {"FAIL\t1\tuser=tim",                        DOVECOT_FAIL, {.user = S("tim")}                                         },
        {"FAIL\t1",                                  DOVECOT_FAIL, {.code = DOVECOT_REFUSED}                                  },
        {"FAIL\t1\tuser=tim\ttemp",
         DOVECOT_FAIL,                                             {.user = S("tim"), .code = DOVECOT_TEMP}                   },
        {"FAIL\t1\tcode=temp_fail",                  DOVECOT_FAIL, {.code = DOVECOT_TEMP}                                     },
        {"FAIL\t1\tauthz",                           DOVECOT_FAIL, {.code = DOVECOT_AUTHZ}                                    },
        {"FAIL\t1\tuser_disabled",                   DOVECOT_FAIL, {.code = DOVECOT_DISABLED}                                 },
        {"FAIL\t1\tcode=pass_expired\tnodelay",
         DOVECOT_FAIL,                                             {.code = DOVECOT_EXPIRED, .nodelay = true}                 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct dovecot_reply *want = &cases[i].want;
        struct dovecot_line l = parse(cases[i].line);
        struct dovecot_reply got;

        assert_int_equal(l.verb, cases[i].verb);
        assert_true(dovecot_reply_parse(scratch, &l, &got));
        assert_str(got.user, want->user);
        assert_str(got.reason, want->reason);
        assert_str(got.resp, want->resp);
        assert_int_equal(got.code, want->code);
        assert_int_equal(got.nologin, want->nologin);
        assert_int_equal(got.nodelay, want->nodelay);
    }
}

/* What is built, byte for byte. */
static void
builders(void **state)
{
    struct buf b = buf_in(scratch);
    struct dovecot_reply ok = {.user = S("a\tb"), .resp = S("v=a")};
    struct dovecot_reply bad = {
        .user = S("tim"), .code = DOVECOT_TEMP, .reason = S("later")};
    struct dovecot_request r = {.id = 3,
                                .mech = S("PLAIN"),
                                .service = S("smtp"),
                                .rip = S("192.0.2.1"),
                                .tls = true,
                                .no_penalty = true,
                                .ssl_cipher = S("X"),
                                .bindings = {{S("tls-exporter"), S("abc")}},
                                .has_resp = true,
                                .resp = S("tim")};
    const uint8_t cookie[16] = {0x12, 0xab};

    (void)state;
    dovecot_put_version(&b);
    dovecot_put_mech(&b, sasl_mech_find(S("PLAIN")));
    dovecot_put_mech(&b, sasl_mech_find(S("CRAM-MD5")));
    dovecot_put_mech(&b, sasl_mech_find(S("SCRAM-SHA-256")));
    dovecot_put_mech(&b, sasl_mech_find(S("EXTERNAL")));
    dovecot_put_number(&b, "SPID", 12);
    dovecot_put_cookie(&b, cookie);
    dovecot_put_done(&b);
    assert_str(buf_str(&b),
               S("VERSION\t1\t2\nMECH\tPLAIN\tplaintext\n"
                 "MECH\tCRAM-MD5\tdictionary\tactive\n"
                 "MECH\tSCRAM-SHA-256\tmutual-auth\nMECH\tEXTERNAL\tprivate\n"
                 "SPID\t12\nCOOKIE\t12ab0000000000000000000000000000\n"
                 "DONE\n"));
    buf_reset(&b);
    dovecot_put_ok(&b, 5, &ok);
    dovecot_put_field(&b, S("home"), S("/a\nb"));
    dovecot_put_end(&b);
    dovecot_put_fail(&b, 6, &bad);
    dovecot_put_end(&b);
    dovecot_put_cont(&b, 7, S("tim"));
    dovecot_put_cancel(&b, 8);
    dovecot_put_found(&b, "USER", 9, S("tim"));
    dovecot_put_field(&b, S("uid"), S("5"));
    dovecot_put_end(&b);
    dovecot_put_notfound(&b, 10);
    assert_str(buf_str(&b),
               S("OK\t5\tuser=a\001tb\tresp=dj1h\thome=/a\001nb\n"
                 "FAIL\t6\tuser=tim\ttemp\tcode=temp_fail\treason=later\n"
                 "CONT\t7\tdGlt\nCANCEL\t8\nUSER\t9\ttim\tuid=5\n"
                 "NOTFOUND\t10\n"));
    buf_reset(&b);
    dovecot_put_auth(&b, &r);
    assert_str(buf_str(&b),
               S("AUTH\t3\tPLAIN\tservice=smtp\trip=192.0.2.1\tssl_cipher=X\t"
                 "no-penalty\tsecured=tls\tbinding=tls-exporter:YWJj\t"
                 "resp=dGlt\n"));
    buf_reset(&b);
    r = (struct dovecot_request){
        .id = 1, .mech = S("LOGIN"), .service = S("smtp"), .has_resp = true};
    dovecot_put_auth(&b, &r);
    assert_str(buf_str(&b), S("AUTH\t1\tLOGIN\tservice=smtp\tresp==\n"));
}

TESTS(SCRATCH_TEST(escaping), SCRATCH_TEST(handshake), SCRATCH_TEST(requests),
      SCRATCH_TEST(bad_data), SCRATCH_TEST(broken), SCRATCH_TEST(longest),
      SCRATCH_TEST(replies), SCRATCH_TEST(builders))
