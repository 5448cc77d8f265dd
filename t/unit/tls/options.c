/* Protocol versions and ciphers as main.cf says them. */
#include "tls/options.h"

#include <openssl/ssl.h>

#include "unit/scratch.h"

static struct why why;

static void
protocols(void **state)
{
    static const struct {
        const char *text;
        int least, most;
        uint64_t off;
    } cases[] = {
        {"",                              0,              0,              0              },
        {">=TLSv1",                       TLS1_VERSION,   0,              0              },
        {">=TLSv1.2, <=TLSv1.3",          TLS1_2_VERSION, TLS1_3_VERSION, 0              },
        {"!SSLv2, !SSLv3",                0,              0,              SSL_OP_NO_SSLv3},
        {"!SSLv2:!SSLv3:!TLSv1:!TLSv1.1", 0,              0,
         SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1                           },
        {"TLSv1.2 TLSv1.3",               0,              0,
         SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1                           },
        {"tlsv1.2",                       0,              0,
         SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 |
             SSL_OP_NO_TLSv1_3                                                           },
        {">=0303",                        TLS1_2_VERSION, 0,              0              },
        {">=0x0304",                      TLS1_3_VERSION, 0,              0              },
    };
    struct tls_protocols p;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(tls_protocols_parse(str_from(cases[i].text), &p, &why),
                         OK);
        assert_int_equal(p.least, cases[i].least);
        assert_int_equal(p.most, cases[i].most);
        assert_true(p.off == cases[i].off);
    }
}

static void
bad_protocols(void **state)
{
    static const char *const bad[] = {"TLSv2",  ">=", "<=x", "!",   "!!SSLv3",
                                      ">=TLS1", "=",  ">=3", "SSL", "!>=TLSv1"};
    struct tls_protocols p;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(tls_protocols_parse(str_from(bad[i]), &p, &why), TEMP);
}

static void
they_are_applied(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);
    struct tls_protocols p;

    (void)state;
    assert_int_equal(tls_protocols_parse(S(">=TLSv1.2, !TLSv1.3"), &p, &why),
                     OK);
    tls_protocols_apply(&p, ctx, NULL);
    tls_protocols_apply(&p, NULL, ssl);
    assert_int_equal(SSL_CTX_get_min_proto_version(ctx), TLS1_2_VERSION);
    assert_int_equal(SSL_get_min_proto_version(ssl), TLS1_2_VERSION);
    assert_true(SSL_get_options(ssl) & SSL_OP_NO_TLSv1_3);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void
ciphers(void **state)
{
    static const struct tls_grades grades = {"HIGH", "MEDIUM", "LOW", "EXPORT",
                                             "eNULL"};
    const char *list;

    (void)state;
    assert_int_equal(
        tls_ciphers_make(scratch, &grades, S("medium"), S(""), &list, &why),
        OK);
    assert_string_equal(list, "MEDIUM");
    assert_int_equal(tls_ciphers_make(scratch, &grades, S("High"),
                                      S("aNULL, RC4 MD5"), &list, &why),
                     OK);
    assert_string_equal(list, "HIGH:!aNULL:!RC4:!MD5");
    assert_int_equal(
        tls_ciphers_make(scratch, &grades, S("best"), S(""), &list, &why),
        TEMP);
    assert_int_equal(
        tls_ciphers_make(scratch, &grades, S("high"), S("+RC4"), &list, &why),
        TEMP);
}

TESTS_WITHIN(scratch_make, scratch_free, TEST(protocols), TEST(bad_protocols),
             TEST(they_are_applied), TEST(ciphers))
