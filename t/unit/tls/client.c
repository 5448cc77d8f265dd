/* Demands, fingerprints, TLSA records and trust anchors; handshakes are in
 * t/system/test_tls_client.py. */
#include "tls/client.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit/scratch.h"

static struct why why;

static struct tls_client *
make(const char *digests, const char *print)
{
    struct tls_client_options o = {.ca_file = "",
                                   .ca_path = "",
                                   .depth = 9,
                                   .print_digest = print,
                                   .dane_digests = digests,
                                   .remember = 1000};

    return tls_client_new(scratch, &o, &why);
}

static void
fingerprints(void **state)
{
    static const char want[] = "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:"
                               "FF";
    static const char *const good[] = {
        want, "00112233445566778899aabbccddeeff",
        "0011:2233:4455:6677:8899:aabb:ccdd:eeff"};
    static const char *const bad[] = {"",
                                      ":",
                                      "00:11",
                                      "0:0112233445566778899aabbccddeeff",
                                      "00112233445566778899aabbccddeef",
                                      "00112233445566778899aabbccddeefg",
                                      ":00112233445566778899aabbccddeeff"};
    struct str print;

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_true(tls_print_parse(scratch, str_from(good[i]), &print));
        assert_str(print, str_from(want));
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(tls_print_parse(scratch, str_from(bad[i]), &print));
}

/* A demand differs from another where any of it does. */
static void
keys_of_demands(void **state)
{
    struct str name[] = {S("a.test"), S("b.test")};
    struct tls_record r[2] = {0};
    struct tls_demand all[11] = {0};

    (void)state;
    r[1].matching = 2;
    for (size_t i = 0; i < COUNT(all); i++)
        all[i].level = TLS_SECURE;
    all[1].level = TLS_MAY;
    all[2].sni = "a.test";
    all[3].ciphers = "a.test";
    all[4].protocols.least = 5;
    all[5].protocols.most = 5;
    for (size_t i = 6; i < 8; i++) {
        all[i].names = name;
        all[i].name_count = i - 5;
    }
    all[8].prints = name;
    all[8].print_count = 1;
    for (size_t i = 9; i < 11; i++) {
        all[i].records = &r[i - 9];
        all[i].record_count = 1;
    }
    for (size_t i = 0; i < COUNT(all); i++)
        for (size_t k = 0; k < COUNT(all); k++) {
            struct str a = tls_demand_key(scratch, &all[i]);
            struct str b = tls_demand_key(scratch, &all[k]);

            assert_int_equal(str_eq(a, b), i == k);
        }
}

static void
records(void **state)
{
    static const char bytes[64];
    static const struct {
        uint8_t usage, selector, matching;
        size_t len;
        bool usable;
    } cases[] = {
        {3, 1, 1, 32, true },
        {3, 0, 2, 64, true },
        {2, 0, 1, 32, true },
        {0, 0, 1, 32, false}, /* who is a public authority? */
        {1, 1, 1, 32, false},
        {4, 1, 1, 32, false},
        {3, 2, 1, 32, false},
        {3, 1, 3, 48, false},
        {3, 1, 1, 31, false},
        {3, 1, 2, 32, false},
        {3, 1, 0, 32, false},
        {3, 0, 0, 64, false},
        {3, 0, 0, 0,  false},
    };
    struct tls_client *c = make("sha512 sha256", "sha256");
    struct tls_client *less = make("sha256, sha384=3", "sha256");

    (void)state;
    assert_non_null(c);
    assert_non_null(less);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct tls_record r = {
            .usage = cases[i].usage,
            .selector = cases[i].selector,
            .matching = cases[i].matching,
            .data = (struct str){bytes, cases[i].len},
        };
        bool only_256 = cases[i].usable && cases[i].matching != 2;

        assert_int_equal(tls_client_can_use(c, &r), cases[i].usable);
        assert_int_equal(tls_client_can_use(less, &r),
                         only_256 || cases[i].matching == 3);
    }
}

static void
settings_that_are_none(void **state)
{
    (void)state;
    assert_null(make("sha512 wombat", "sha256"));
    assert_null(make("sha384", "sha256"));
    assert_null(make("sha256=0", "sha256"));
    assert_null(make("sha256=256", "sha256"));
    assert_null(make("sha256=x", "sha256"));
    assert_null(make("sha256", "wombat"));
    assert_non_null(make("", "md5"));
}

/* A file with that text. */
static enum rc
read_anchors(const char *text, struct tls_record **list, size_t *count)
{
    char path[] = "/tmp/posta-anchors-XXXXXX";
    int fd = mkstemp(path);

    assert_true(dprintf(fd, "%s", text) >= 0);
    close(fd);
    enum rc rc = tls_anchors_read(scratch, path, list, count, &why);

    unlink(path);
    return rc;
}

static const char *
key_as_pem(void)
{
    static char text[1000];
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BIO *out = BIO_new(BIO_s_mem());

    assert_true(PEM_write_bio_PUBKEY(out, key));
    int len = BIO_read(out, text, sizeof text - 1);

    assert_true(len > 0);
    BIO_free(out);
    EVP_PKEY_free(key);
    return text;
}

static void
anchors(void **state)
{
    const char *one = key_as_pem();
    struct tls_record *list;
    size_t count;

    (void)state;
    assert_int_equal(
        read_anchors(arena_fmt(scratch, "# ours\n%s\n%s", one, one), &list,
                     &count),
        OK);
    assert_int_equal(count, 2);
    assert_int_equal(list[1].usage, TLSA_CA);
    assert_int_equal(list[1].selector, 1);
    assert_true(tls_client_can_use(make("sha256", "sha256"), &list[1]));
    assert_int_equal(read_anchors("", &list, &count), TEMP);
    assert_int_equal(read_anchors("-----BEGIN CERTIFICATE-----\nAAAA\n"
                                  "-----END CERTIFICATE-----\n",
                                  &list, &count),
                     TEMP);
    assert_int_equal(
        tls_anchors_read(scratch, "/nonexistent", &list, &count, &why), TEMP);
}

static void
sessions(void **state)
{
    const struct tls_demand d = {
        .level = TLS_MAY, .ciphers = "DEFAULT", .sni = "mx.test"};
    const struct tls_demand bad = {
        .level = TLS_MAY, .ciphers = "WOMBAT", .sni = ""};
    struct tls_client *c = make("sha256", "sha256");
    SSL *ssl = tls_client_session(c, &d, S("mx"), scratch, &why);

    (void)state;
    assert_non_null(ssl);
    assert_string_equal(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name),
                        "mx.test");
    SSL_free(ssl);
    assert_null(tls_client_session(c, &bad, S("mx"), scratch, &why));
    assert_string_equal(why.dsn, "4.7.5");
}

TESTS_WITHIN(scratch_make, scratch_free, TEST(fingerprints),
             TEST(keys_of_demands), TEST(records), TEST(settings_that_are_none),
             TEST(anchors), TEST(sessions))
