#include "tls/provider.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/provider.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "base/log.h"
#include "tls/provider_own.h"
#include "tls/session.h"

#define NAME       "posta"
#define PROPERTIES "provider=" NAME
#define CAN_SIGN   "posta-can-sign" /* parameter of an import: a number */

static struct {
    tls_signer *sign;
    void *own;
} holder;

bool
provider_ask(const struct provider_key *k, const struct sign_scheme *s,
             struct str digest, unsigned char *bytes, size_t *len)
{
    struct str name = {(const char *)k->name, sizeof k->name};

    return k->can_sign &&
           holder.sign(holder.own, name, s->code, digest, bytes, len) == OK;
}

/* ---- keys */

static struct provider_key *
key_new(const char *type)
{
    struct provider_key *k = calloc(1, sizeof *k);

    if (k == NULL)
        log_fatal("out of memory for a key");
    k->type = type;
    k->users = 1;
    return k;
}

static void *
rsa_new(void *provider)
{
    (void)provider;
    return key_new("RSA");
}

static void *
ec_new(void *provider)
{
    (void)provider;
    return key_new("EC");
}

static void *
ed25519_new(void *provider)
{
    (void)provider;
    return key_new("ED25519");
}

void
provider_key_free(struct provider_key *k)
{
    if (k == NULL || --k->users > 0)
        return;
    EVP_PKEY_free(k->public);
    free(k);
}

static void
key_free(void *key)
{
    provider_key_free(key);
}

/* The same parameters make the public half in OpenSSL's own provider. */
static int
key_import(void *key, int selection, const OSSL_PARAM params[])
{
    struct provider_key *k = key;
    const OSSL_PARAM *mark = OSSL_PARAM_locate_const(params, CAN_SIGN);
    EVP_PKEY_CTX *ctx =
        EVP_PKEY_CTX_new_from_name(NULL, k->type, "provider=default");
    int can_sign = 0;

    (void)selection;
    bool good = k->public == NULL && ctx && EVP_PKEY_fromdata_init(ctx) > 0 &&
                EVP_PKEY_fromdata(ctx, &k->public, EVP_PKEY_PUBLIC_KEY,
                                  (OSSL_PARAM *)(uintptr_t)params) > 0 &&
                sign_key_name(k->public, k->name);

    EVP_PKEY_CTX_free(ctx);
    if (mark && OSSL_PARAM_get_int(mark, &can_sign))
        k->can_sign = can_sign;
    return good;
}

/* The private half stays where it is. */
static int
key_export(void *key, int selection, OSSL_CALLBACK *take, void *own)
{
    struct provider_key *k = key;
    OSSL_PARAM *params = NULL;

    if (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY || k->public == NULL ||
        EVP_PKEY_todata(k->public, EVP_PKEY_PUBLIC_KEY, &params) <= 0)
        return 0;
    int taken = take(params, own);

    OSSL_PARAM_free(params);
    return taken;
}

static int
key_has(const void *key, int selection)
{
    const struct provider_key *k = key;

    return k->public &&
           (k->can_sign || !(selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY));
}

static int
key_match(const void *a, const void *b, int selection)
{
    const struct provider_key *one = a, *other = b;

    (void)selection;
    return one->public && other->public &&
           EVP_PKEY_eq(one->public, other->public) == 1;
}

static int
key_get_params(void *key, OSSL_PARAM params[])
{
    const struct provider_key *k = key;

    return k->public && EVP_PKEY_get_params(k->public, params);
}

static const OSSL_PARAM *
key_gettable(void *provider)
{
    static const OSSL_PARAM table[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)provider;
    return table;
}

static const OSSL_PARAM *
key_types(int selection)
{
    static const OSSL_PARAM table[] = {
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_int(CAN_SIGN, NULL),
        OSSL_PARAM_END,
    };

    (void)selection;
    return table;
}

static const char *
ec_operation(int operation)
{
    return operation == OSSL_OP_SIGNATURE ? "ECDSA" : "EC";
}

/* ---- tables */

#define FUNCTION(id, function)                                                 \
    {                                                                          \
        id, (void (*)(void))(function)                                         \
    }
#define KEY_FUNCTIONS                                                          \
    FUNCTION(OSSL_FUNC_KEYMGMT_FREE, key_free),                                \
        FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT, key_import),                        \
        FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, key_types),                   \
        FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT, key_export),                        \
        FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, key_types),                   \
        FUNCTION(OSSL_FUNC_KEYMGMT_HAS, key_has),                              \
        FUNCTION(OSSL_FUNC_KEYMGMT_MATCH, key_match),                          \
        FUNCTION(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get_params),                \
        FUNCTION(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable)

static const OSSL_DISPATCH rsa_keys[] = {
    FUNCTION(OSSL_FUNC_KEYMGMT_NEW, rsa_new), KEY_FUNCTIONS, {0, NULL}
};

static const OSSL_DISPATCH ec_keys[] = {
    FUNCTION(OSSL_FUNC_KEYMGMT_NEW, ec_new),
    FUNCTION(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, ec_operation),
    KEY_FUNCTIONS,
    {0, NULL}
};

static const OSSL_DISPATCH ed25519_keys[] = {
    FUNCTION(OSSL_FUNC_KEYMGMT_NEW, ed25519_new), KEY_FUNCTIONS, {0, NULL}
};

static const OSSL_ALGORITHM key_kinds[] = {
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", PROPERTIES, rsa_keys,     NULL},
    {"EC:id-ecPublicKey:1.2.840.10045.2.1",    PROPERTIES, ec_keys,      NULL},
    {"ED25519:1.3.101.112",                    PROPERTIES, ed25519_keys, NULL},
    {NULL,                                     NULL,       NULL,         NULL},
};

static const OSSL_ALGORITHM signatures[] = {
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", PROPERTIES,
     provider_rsa_signature,                                                           NULL},
    {"ECDSA",                                  PROPERTIES, provider_ec_signature,      NULL},
    {"ED25519:1.3.101.112",                    PROPERTIES, provider_ed25519_signature, NULL},
    {NULL,                                     NULL,       NULL,                       NULL},
};

static const OSSL_ALGORITHM *
query(void *provider, int operation, int *no_cache)
{
    (void)provider;
    *no_cache = 0;
    return operation == OSSL_OP_KEYMGMT     ? key_kinds
           : operation == OSSL_OP_SIGNATURE ? signatures
                                            : NULL;
}

static int
init(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in,
     const OSSL_DISPATCH **out, void **provider)
{
    static const OSSL_DISPATCH functions[] = {
        FUNCTION(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query), {0, NULL}
    };

    (void)core;
    (void)in;
    *out = functions;
    *provider = &holder;
    return 1;
}

enum rc
tls_provider_start(tls_signer *sign, void *own, struct why *why)
{
    char text[256];

    must(holder.sign == NULL);
    holder.sign = sign;
    holder.own = own;

    /* OpenSSL's own first: of two that can do the same, the first is taken. A
     * provider that is loaded by name turns the others' loading off. */
    if (OSSL_PROVIDER_load(NULL, "default") &&
        OSSL_PROVIDER_add_builtin(NULL, NAME, init) &&
        OSSL_PROVIDER_load(NULL, NAME))
        return OK;
    return fail(why, "4.7.0", "OpenSSL: %s", tls_error_text(text));
}

/* ---- the key of a certificate */

static EVP_PKEY *
import(const char *type, const OSSL_PARAM *params)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, PROPERTIES);
    EVP_PKEY *key = NULL;

    if (ctx && EVP_PKEY_fromdata_init(ctx) > 0)
        (void)EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR,
                                (OSSL_PARAM *)(uintptr_t)params);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

EVP_PKEY *
tls_provider_key(const X509 *cert, struct why *why)
{
    static const char *const types[] = {"RSA", "EC", "ED25519"};
    EVP_PKEY *public = X509_get0_pubkey(cert), *key = NULL;
    OSSL_PARAM *params = NULL;
    int yes = 1;
    OSSL_PARAM mark[] = {OSSL_PARAM_construct_int(CAN_SIGN, &yes),
                         OSSL_PARAM_construct_end()};
    char text[256];

    for (size_t i = 0; public && i < COUNT(types) && key == NULL; i++) {
        if (!EVP_PKEY_is_a(public, types[i]) ||
            EVP_PKEY_todata(public, EVP_PKEY_PUBLIC_KEY, &params) <= 0)
            continue;
        OSSL_PARAM *all = OSSL_PARAM_merge(params, mark);

        key = import(types[i], all);
        OPENSSL_free(all);
        OSSL_PARAM_free(params);
    }
    if (key == NULL)
        (void)!fail(why, "5.7.0", "key is none of RSA, EC, Ed25519 %s",
                    tls_error_text(text));
    return key;
}
