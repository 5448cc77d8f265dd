#include "tls/sign.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "tls/session.h"

/* clang-format off */
static const struct sign_scheme schemes[] = {
    {0x0401, "RSA",     "SHA256",   32, false},
    {0x0501, "RSA",     "SHA384",   48, false},
    {0x0601, "RSA",     "SHA512",   64, false},
    {0x0804, "RSA",     "SHA256",   32, true},
    {0x0805, "RSA",     "SHA384",   48, true},
    {0x0806, "RSA",     "SHA512",   64, true},
    {0x0403, "EC",      "SHA256",   32, false},
    {0x0503, "EC",      "SHA384",   48, false},
    {0x0603, "EC",      "SHA512",   64, false},
    {0x0807, "ED25519", NULL,       0,  false},
    /* What only an administrator who lowers tls protocols gets to see. */
    {0x0301, "RSA",     "SHA224",   28, false},
    {0x0201, "RSA",     "SHA1",     20, false},
    {0x0303, "EC",      "SHA224",   28, false},
    {0x0203, "EC",      "SHA1",     20, false},
    {SIGN_RSA_MD5_SHA1, "RSA", "MD5-SHA1", 36, false},
};
/* clang-format on */

const struct sign_scheme *
sign_scheme_of(unsigned code)
{
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (schemes[i].code == code)
            return &schemes[i];
    return NULL;
}

static bool
same_digest(const char *a, const char *b)
{
    return a == b || (a && b && strcasecmp(a, b) == 0);
}

const struct sign_scheme *
sign_scheme_find(const char *key, const char *digest, bool pss)
{
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (strcmp(schemes[i].key, key) == 0 && schemes[i].pss == pss &&
            same_digest(schemes[i].digest, digest))
            return &schemes[i];
    return NULL;
}

bool
sign_key_name(const EVP_PKEY *key, unsigned char name[SIGN_KEY_NAME])
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    size_t n = 0;
    bool good = len > 0 &&
                EVP_Q_digest(NULL, "SHA256", NULL, der, (size_t)len, name, &n);

    OPENSSL_free(der);
    return good;
}

static enum rc
failed(struct why *why)
{
    char text[256];

    return fail(why, "4.7.0", "cannot sign: %s", tls_error_text(text));
}

static bool
sign_message(EVP_PKEY *key, struct str text, unsigned char *bytes, size_t *len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) > 0 &&
                EVP_DigestSign(ctx, bytes, len, (const unsigned char *)text.p,
                               text.len) > 0;

    EVP_MD_CTX_free(ctx);
    return good;
}

static bool
prepare(EVP_PKEY_CTX *ctx, const struct sign_scheme *s, const EVP_MD *digest)
{
    if (EVP_PKEY_sign_init(ctx) <= 0)
        return false;
    if (strcmp(s->key, "RSA") == 0 &&
        EVP_PKEY_CTX_set_rsa_padding(ctx, s->pss ? RSA_PKCS1_PSS_PADDING
                                                 : RSA_PKCS1_PADDING) <= 0)
        return false;
    if (EVP_PKEY_CTX_set_signature_md(ctx, digest) <= 0)
        return false;
    return !s->pss ||
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
}

static bool
sign_sum(EVP_PKEY *key, const struct sign_scheme *s, struct str sum,
         unsigned char *bytes, size_t *len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    EVP_MD *digest = EVP_MD_fetch(NULL, s->digest, NULL);
    bool good = ctx && digest && prepare(ctx, s, digest) &&
                EVP_PKEY_sign(ctx, bytes, len, (const unsigned char *)sum.p,
                              sum.len) > 0;

    EVP_PKEY_CTX_free(ctx);
    EVP_MD_free(digest);
    return good;
}

enum rc
sign_digest(EVP_PKEY *key, unsigned code, struct str digest,
            unsigned char *bytes, size_t *len, struct why *why)
{
    const struct sign_scheme *s = sign_scheme_of(code);

    if (s == NULL || !EVP_PKEY_is_a(key, s->key))
        return fail(why, "5.7.0", "signature scheme 0x%04x is not this key's",
                    code);
    if (s->digest ? digest.len != s->digest_len : digest.len > SIGN_TEXT_MAX)
        return fail(why, "5.7.0", "%zu bytes are no digest of scheme 0x%04x",
                    digest.len, code);
    bool good = s->digest ? sign_sum(key, s, digest, bytes, len)
                          : sign_message(key, digest, bytes, len);

    return good ? OK : failed(why);
}
