/*
 * digest.h - hashes, HMAC, PBKDF2, random bytes and comparison in constant
 * time.
 *
 * Nothing here fails: what OpenSSL cannot do (no memory, a provider without
 * MD5) ends the process. Outputs are digest_size bytes; the caller wipes what
 * was secret.
 */
#ifndef TLS_DIGEST_H
#define TLS_DIGEST_H

#include "base/str.h"

enum digest {
    DIGEST_MD5,
    DIGEST_SHA1,
    DIGEST_SHA256,
    DIGEST_SHA512,
    DIGEST_COUNT
};

/* The longest of all. */
#define DIGEST_MAX 64

size_t digest_size(enum digest d);

/* The hash of the pieces, one behind the other. */
void digest_of(enum digest d, const struct str *pieces, size_t count,
               uint8_t *out);

void digest_hmac(enum digest d, struct str key, struct str data, uint8_t *out);

/* PBKDF2 (RFC 8018) with HMAC of that hash; len bytes. */
void digest_pbkdf2(enum digest d, struct str password, struct str salt,
                   unsigned rounds, uint8_t *out, size_t len);

/*
 * Where HMAC-MD5 stands after the outer and the inner key block, 16 bytes
 * each: what is kept of a password for CRAM-MD5. And the HMAC-MD5 made from
 * it.
 */
void digest_hmac_md5_state(struct str key, uint8_t state[32]);
void digest_hmac_md5_resume(const uint8_t state[32], struct str data,
                            uint8_t out[16]);

/* Bytes nobody can guess. */
void digest_random(void *to, size_t len);

/* The same bytes; how long it takes tells only the lengths. */
bool digest_equal(struct str a, struct str b);

#endif
