/*
 * sign.h - signatures by key and scheme: what the holder of a private key is
 * asked for. A scheme is the code point of TLS (RFC 8446, 4.2.3), which DKIM's
 * two algorithms have too.
 */
#ifndef TLS_SIGN_H
#define TLS_SIGN_H

#include <openssl/types.h>

#include "base/why.h"

enum {
    SIGN_RSA_SHA256 = 0x0401, /* PKCS #1 1.5 */
    SIGN_ED25519 = 0x0807,
    SIGN_RSA_MD5_SHA1 = 0xfe01, /* before TLS 1.2; a code point of our own */
};

struct sign_scheme {
    unsigned code;
    const char *key;    /* "RSA", "EC", "ED25519" */
    const char *digest; /* name; NULL: the message itself is signed */
    size_t digest_len;
    bool pss; /* with a salt as long as the digest */
};

/* NULL if there is none such. */
const struct sign_scheme *sign_scheme_of(unsigned code);
const struct sign_scheme *sign_scheme_find(const char *key, const char *digest,
                                           bool pss);

/* Bytes of the longest message and signature. */
#define SIGN_TEXT_MAX  4096
#define SIGN_BYTES_MAX 2048 /* RSA of 16384 bits */

/* How a key is called: SHA-256 of its public half (SubjectPublicKeyInfo). */
#define SIGN_KEY_NAME 32
bool sign_key_name(const EVP_PKEY *key, unsigned char name[SIGN_KEY_NAME]);

/*
 * Sign a digest (or message) with a private key that is here. *len is the
 * room in `bytes` and becomes the signature's length. PERM: the scheme is none
 * of the key's, or the digest has another length.
 */
enum rc sign_digest(EVP_PKEY *key, unsigned code, struct str digest,
                    unsigned char *bytes, size_t *len,
                    struct why *why) MUST_USE;

#endif
