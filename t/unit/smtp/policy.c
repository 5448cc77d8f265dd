/* What main.cf and its tables come to for a server; no name server answers. */
#include "smtp/policy.h"

#include <openssl/ssl.h>

#include "unit/scratch.h"

static struct tls_demand demand;
static struct why why;

#define HOP "[mx.test]:25"

/* For the exchanger mail.test of `hop`. */
static enum rc
find(const char *main_cf, const char *hop_text)
{
    const struct conf *conf = conf_from_text(scratch, main_cf, &why);
    struct dns_options o = {.servers = "127.0.0.1:1", .timeout = 100};
    struct target target = {.host = S("mail.test"), .owner = S("mail.test")};
    struct nexthop hop;
    struct settings *s;
    struct dns *dns;

    assert_non_null(conf);
    s = settings_read(scratch, conf, false, NULL, &why);
    assert_non_null(s);
    assert_int_equal(nexthop_parse(str_from(hop_text), false, 25, &hop, &why),
                     OK);
    dns = dns_open(scratch, &o, &why);

    enum rc rc = policy_find(s, dns, &hop, &target, scratch, &demand, &why);

    dns_close(dns);
    return rc;
}

static bool
has_names(const char *list)
{
    struct str rest = str_from(list), word;
    size_t n = 0;

    while (str_word(&rest, " ", &word))
        if (n >= demand.name_count || !str_eq(demand.names[n++], word))
            return false;
    return n == demand.name_count;
}

static void
levels(void **state)
{
    static const struct {
        const char *main_cf;
        enum tls_level level;
    } cases[] = {
        {"",                                                                  TLS_NONE   },
        {"smtp_use_tls = yes\n",                                              TLS_MAY    },
        {"smtp_enforce_tls = yes\n",                                          TLS_VERIFY },
        {"smtp_enforce_tls = yes\nsmtp_tls_enforce_peername = no\n",
         TLS_ENCRYPT                                                                     },
        {"smtp_use_tls = yes\nsmtp_tls_security_level = none\n",              TLS_NONE   },
        {"smtp_tls_security_level = encrypt\n",                               TLS_ENCRYPT},
        {"smtp_tls_security_level = may\n"
         "smtp_tls_policy_maps = inline:{ {" HOP " = secure} }\n",
         TLS_SECURE                                                                      },
        {"smtp_tls_security_level = may\n"
         "smtp_tls_policy_maps = inline:{ {[mx.test] = secure} }\n", TLS_MAY    },
 /* DANE asks for what it has not: nothing is signed. */
        {"smtp_tls_security_level = dane\n"
         "smtp_dns_support_level = dnssec\n",                        TLS_MAY    },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(find(cases[i].main_cf, HOP), OK);
        assert_int_equal(demand.level, cases[i].level);
    }
    assert_int_equal(find("smtp_tls_security_level = dane-only\n"
                          "smtp_dns_support_level = dnssec\n",
                          HOP),
                     TEMP);
    assert_string_equal(why.text, "no TLSA records found");
}

static void
names(void **state)
{
    (void)state;
    assert_int_equal(find("smtp_tls_security_level = secure\n", "x.test"), OK);
    assert_true(has_names("x.test .x.test"));
    assert_int_equal(find("smtp_tls_security_level = verify\n", "x.test"), OK);
    assert_true(has_names("mail.test"));
    assert_int_equal(find("smtp_tls_security_level = secure\n", HOP), OK);
    assert_true(has_names("mx.test .mx.test"));
    assert_int_equal(find("smtp_tls_security_level = secure\n"
                          "smtp_tls_servername = nexthop\n",
                          "b\xc3\xbc"
                          "cher.test"),
                     OK);
    assert_true(has_names("xn--bcher-kva.test .xn--bcher-kva.test"));
    assert_string_equal(demand.sni, "xn--bcher-kva.test");
    assert_int_equal(find("smtp_tls_security_level = may\n", HOP), OK);
    assert_true(has_names(""));
}

static void
ciphers(void **state)
{
#define LISTS                                                                  \
    "tls_high_cipherlist = H\ntls_medium_cipherlist = M\n"                     \
    "smtp_tls_mandatory_ciphers = high\nsmtp_tls_exclude_ciphers = X\n"        \
    "smtp_tls_mandatory_exclude_ciphers = Y Z\n"                               \
    "smtp_tls_security_level = "
    static const struct {
        const char *main_cf, *list;
    } cases[] = {
        {LISTS "may\n",                                                              "M:!X"             },
        {LISTS "encrypt\n",                                                          "H:!X:!Y:!Z:!eNULL"},
        {LISTS "secure\n",                                                           "H:!X:!Y:!Z:!aNULL"},
        {LISTS "may\nsmtp_tls_policy_maps = "
               "inline:{ {" HOP " = encrypt exclude=Q ciphers=medium} }\n",
         "M:!Q:!eNULL"                                                                                  },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(find(cases[i].main_cf, HOP), OK);
        assert_string_equal(demand.ciphers, cases[i].list);
    }
}

static void
versions(void **state)
{
    (void)state;
    assert_int_equal(find("smtp_tls_security_level = may\n"
                          "smtp_tls_protocols = >=TLSv1.2\n",
                          HOP),
                     OK);
    assert_int_equal(demand.protocols.least, TLS1_2_VERSION);
    assert_int_equal(find("smtp_tls_security_level = encrypt\n"
                          "smtp_tls_protocols = >=TLSv1.2\n",
                          HOP),
                     OK);
    assert_int_equal(demand.protocols.least, TLS1_VERSION);
}

static void
sockets(void **state)
{
    const struct conf *conf =
        conf_from_text(scratch, "lmtp_tls_security_level = secure\n", &why);
    struct settings *s = settings_read(scratch, conf, true, NULL, &why);
    struct nexthop hop;

    (void)state;
    assert_int_equal(nexthop_parse(S("unix:/x"), true, 24, &hop, &why), OK);
    assert_int_equal(policy_find(s, NULL, &hop, NULL, scratch, &demand, &why),
                     OK);
    assert_int_equal(demand.level, TLS_SECURE);
}

TESTS_WITHIN(scratch_make, scratch_free, TEST(levels), TEST(names),
             TEST(ciphers), TEST(versions), TEST(sockets))
