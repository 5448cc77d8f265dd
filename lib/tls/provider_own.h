/*
 * provider_own.h - what the parts of the provider share.
 */
#ifndef TLS_PROVIDER_OWN_H
#define TLS_PROVIDER_OWN_H

#include <openssl/core_dispatch.h>

#include "tls/provider.h"

/* A key: its public half as a key of OpenSSL's own. */
struct provider_key {
    const char *type; /* "RSA", "EC", "ED25519" */
    EVP_PKEY *public;
    bool can_sign; /* somebody has the other half */
    unsigned char name[SIGN_KEY_NAME];
    unsigned users;
};

void provider_key_free(struct provider_key *k);

/* Ask the holder of the key. */
bool provider_ask(const struct provider_key *k, const struct sign_scheme *s,
                  struct str digest, unsigned char *bytes, size_t *len);

extern const OSSL_DISPATCH provider_rsa_signature[], provider_ec_signature[],
    provider_ed25519_signature[];

#endif
