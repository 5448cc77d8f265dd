/* The provider's signatures: only the one-shot form, which is all TLS uses. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "base/log.h"
#include "tls/provider_own.h"

struct signature {
    struct provider_key *key;
    EVP_MD *digest; /* NULL: Ed25519, which takes the message */
    bool pss;
};

static void *
signature_new(void *provider, const char *properties)
{
    struct signature *s = calloc(1, sizeof *s);

    (void)provider;
    (void)properties;
    if (s == NULL)
        log_fatal("out of memory for a signature");
    return s;
}

static void
signature_free(void *self)
{
    struct signature *s = self;

    provider_key_free(s->key);
    EVP_MD_free(s->digest);
    free(s);
}

static void *
signature_dup(void *self)
{
    const struct signature *from = self;
    struct signature *s = signature_new(NULL, NULL);

    *s = *from;
    if (s->key)
        s->key->users++;
    if (s->digest && !EVP_MD_up_ref(s->digest)) {
        s->digest = NULL;
        signature_free(s);
        return NULL;
    }
    return s;
}

static int
set_padding(struct signature *s, const OSSL_PARAM *p)
{
    const char *text;
    int mode;

    if (OSSL_PARAM_get_utf8_string_ptr(p, &text))
        mode = strcmp(text, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0
                   ? RSA_PKCS1_PSS_PADDING
               : strcmp(text, OSSL_PKEY_RSA_PAD_MODE_PKCSV15) == 0
                   ? RSA_PKCS1_PADDING
                   : 0;
    else if (!OSSL_PARAM_get_int(p, &mode))
        return 0;
    s->pss = mode == RSA_PKCS1_PSS_PADDING;
    return s->pss || mode == RSA_PKCS1_PADDING;
}

/* Only as long as the digest, as TLS wants it: by word or number, and numbers
 * as text too. */
static int
check_salt(const struct signature *s, const OSSL_PARAM *p)
{
    const char *text;
    int len;

    if (OSSL_PARAM_get_utf8_string_ptr(p, &text)) {
        if (strcmp(text, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST) == 0)
            return 1;
        len = atoi(text);
    } else if (!OSSL_PARAM_get_int(p, &len)) {
        return 0;
    }
    return len == RSA_PSS_SALTLEN_DIGEST ||
           (s->digest && len == EVP_MD_get_size(s->digest));
}

static int
set_params(void *self, const OSSL_PARAM params[])
{
    struct signature *s = self;

    if (params == NULL)
        return 1;
    const OSSL_PARAM *pad =
        OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
    const OSSL_PARAM *salt =
        OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);

    return (pad == NULL || set_padding(s, pad)) &&
           (salt == NULL || check_salt(s, salt));
}

static const OSSL_PARAM *
settable(void *self, void *provider)
{
    static const OSSL_PARAM table[] = {
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)self;
    (void)provider;
    return table;
}

static int
sign_init(void *self, const char *digest, void *key, const OSSL_PARAM params[])
{
    struct signature *s = self;
    struct provider_key *k = key;

    if (k == NULL || !k->can_sign)
        return 0;
    provider_key_free(s->key);
    s->key = k;
    k->users++;
    EVP_MD_free(s->digest);
    s->digest = NULL;
    if (digest && *digest) {
        s->digest = EVP_MD_fetch(NULL, digest, NULL);
        if (s->digest == NULL)
            return 0;
    }
    return set_params(s, params);
}

static int
sign(void *self, unsigned char *bytes, size_t *len, size_t room,
     const unsigned char *text, size_t text_len)
{
    const struct signature *s = self;
    const char *digest =
        s->digest ? OBJ_nid2sn(EVP_MD_get_type(s->digest)) : NULL;
    const struct sign_scheme *scheme =
        sign_scheme_find(s->key->type, digest, s->pss);
    struct str sum = {(const char *)text, text_len};
    unsigned char data[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (bytes == NULL) {
        *len = (size_t)EVP_PKEY_get_size(s->key->public);
        return 1;
    }
    if (scheme == NULL)
        return 0;
    if (s->digest) {
        if (!EVP_Digest(text, text_len, data, &n, s->digest, NULL))
            return 0;
        sum = (struct str){(const char *)data, n};
    }
    *len = room;
    return provider_ask(s->key, scheme, sum, bytes, len);
}

#define FUNCTION(id, function)                                                 \
    {                                                                          \
        id, (void (*)(void))(function)                                         \
    }
#define SIGNATURE_FUNCTIONS                                                    \
    FUNCTION(OSSL_FUNC_SIGNATURE_NEWCTX, signature_new),                       \
        FUNCTION(OSSL_FUNC_SIGNATURE_FREECTX, signature_free),                 \
        FUNCTION(OSSL_FUNC_SIGNATURE_DUPCTX, signature_dup),                   \
        FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, sign_init),             \
        FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, sign)

const OSSL_DISPATCH provider_rsa_signature[] = {
    SIGNATURE_FUNCTIONS,
    FUNCTION(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, set_params),
    FUNCTION(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, settable),
    {0, NULL}
};

const OSSL_DISPATCH provider_ec_signature[] = {
    SIGNATURE_FUNCTIONS, {0, NULL}
};

const OSSL_DISPATCH provider_ed25519_signature[] = {
    SIGNATURE_FUNCTIONS, {0, NULL}
};
