#include "tls/chain.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit/test.h"
#include "unit/tls/peers.h"

/* An authority, two hosts; what a text is made of, by letters: k K private
 * keys of the hosts, c C their certificates, a the authority's, e an encrypted
 * key, p parameters, x rubbish. */
static struct {
    EVP_PKEY *ca_key, *key[2];
    X509 *ca, *cert[2];
} made;

static void
make_all(void)
{
    if (made.ca)
        return;
    made.ca_key = make_key("EC");
    made.ca = make_cert(made.ca_key, "Authority", NULL, NULL);
    for (int i = 0; i < 2; i++) {
        made.key[i] = make_key(i ? "RSA" : "ED25519");
        made.cert[i] = make_cert(made.key[i], "host", made.ca, made.ca_key);
    }
}

static void
add_encrypted(struct buf *b)
{
    BIO *bio = BIO_new(BIO_s_mem());
    unsigned char word[] = "x";

    PEM_write_bio_PKCS8PrivateKey(bio, made.key[0], EVP_aes_128_cbc(),
                                  (char *)word, 1, NULL, NULL);
    add_pem(b, bio);
}

static struct str
text_of(struct arena *a, const char *letters)
{
    struct buf b = buf_in(a);

    make_all();
    buf_addc(&b, '\n');
    for (; *letters; letters++)
        switch (*letters) {
        case 'k':
        case 'K':
            add_key(&b, made.key[*letters == 'K']);
            break;
        case 'c':
        case 'C':
            add_cert(&b, made.cert[*letters == 'C']);
            break;
        case 'a':
            add_cert(&b, made.ca);
            break;
        case 'e':
            add_encrypted(&b);
            break;
        case 'p':
            buf_add(&b, S("-----BEGIN EC PARAMETERS-----\n"
                          "BggqhkjOPQMBBw==\n"
                          "-----END EC PARAMETERS-----\n"));
            break;
        default:
            buf_add(&b, S("-----BEGIN CERTIFICATE-----\nAAAA\n"
                          "-----END CERTIFICATE-----\n"));
        }
    return buf_str(&b);
}

/* "2 1": certificates of each chain; or what is wrong. */
static const char *
told(struct arena *a, enum rc rc, struct chains *c, const struct why *why)
{
    struct buf b = buf_in(a);

    if (rc != OK)
        return arena_fmt(a, "%s", why->text);
    for (size_t i = 0; i < c->list.len; i++)
        buf_fmt(&b, "%s%zu", i ? " " : "", c->list.at[i].certs.len);
    return buf_str(&b).p;
}

static void
chains(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"kca",                "2"                                                          },
        {"kc",                 "1"                                                          },
        {"pkc",                "1"                                                          },
        {"kcaKCa",             "2 2"                                                        },
        {"kcKC",               "1 1"                                                        },
        {"",                   "there is no private key"                                    },
        {"a",                  "a certificate comes before the first private key"           },
        {"ck",                 "a certificate comes before the first private key"           },
        {"k",                  "a private key has no certificate"                           },
        {"kKc",                "a private key has no certificate"                           },
        {"kC",                 "the private key is not that of the certificate"             },
        {"kac",                "the private key is not that of the certificate"             },
        {"kx",                 "a certificate cannot be read"                               },
        {"ec",                 "the private key is encrypted: store it without a passphrase"},
        {"kcccccccccccccccc",  "16"                                                         },
        {"kccccccccccccccccc", "more than 16 certificates"                                  },
        {"kckckckckckckckckc", "more than 8 private keys"                                   },
    };
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct chains c = {0};
        struct why why;
        enum rc rc = chain_read(text_of(a, cases[i].text), &c, &why);

        assert_string_equal(told(a, rc, &c, &why), cases[i].want);
        if (rc != OK)
            assert_int_equal(c.list.len, 0);
        chains_free(&c);
    }
    arena_free(a);
}

static void
pairs(void **state)
{
    static const struct {
        const char *key, *certs, *want;
    } cases[] = {
        {"k",  "ca", "2"                                             },
        {"ck", "ck", "1"                                             },
        {"kc", "kc", "1"                                             },
        {"k",  "C",  "the private key is not that of the certificate"},
        {"k",  "",   "a private key has no certificate"              },
        {"c",  "c",  "there is no private key"                       },
        {"kK", "c",  "more than one private key"                     },
    };
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct chains c = {0};
        struct why why;
        enum rc rc = chain_read_pair(text_of(a, cases[i].key),
                                     text_of(a, cases[i].certs), &c, &why);

        assert_string_equal(told(a, rc, &c, &why), cases[i].want);
        chains_free(&c);
    }
    arena_free(a);
}

/* What was there before stays, whatever comes. */
static void
others_stay(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct chains c = {0};
    struct why why;

    (void)state;
    assert_int_equal(chain_read(text_of(a, "kc"), &c, &why), OK);
    assert_int_equal(chain_read(text_of(a, "KCk"), &c, &why), PERM);
    assert_int_equal(c.list.len, 1);
    assert_int_equal(chain_read(text_of(a, "KC"), &c, &why), OK);
    assert_int_equal(c.list.len, 2);
    chains_free(&c);
    arena_free(a);
}

static void
order(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct chains c = {0};
    struct why why;
    size_t at = 99;

    (void)state;
    assert_int_equal(chain_read(text_of(a, "kcaKCc"), &c, &why), OK);
    assert_true(chain_in_order(&c.list.at[0], &at));
    assert_false(chain_in_order(&c.list.at[1], &at));
    assert_int_equal(at, 0);
    chains_free(&c);
    arena_free(a);
}

static void
files(void **state)
{
    char path[] = "/tmp/posta-unit-XXXXXX";
    struct str text;
    struct why why;
    int fd = mkstemp(path);

    (void)state;
    assert_int_equal(write(fd, "hello", 5), 5);
    assert_int_equal(chain_load(path, &text, &why), OK);
    assert_str(text, S("hello"));
    chain_wipe(&text);
    assert_int_equal(ftruncate(fd, (off_t)CHAIN_TEXT_MAX + 1), 0);
    assert_int_equal(chain_load(path, &text, &why), PERM);
    close(fd);
    unlink(path);
    assert_int_equal(chain_load(path, &text, &why), PERM);
    assert_int_equal(chain_load("/tmp", &text, &why), PERM);
}

TESTS(TEST(chains), TEST(pairs), TEST(others_stay), TEST(order), TEST(files))
