/*
 * scheme_kind.h - what the password schemes have in common, behind scheme.h.
 */
#ifndef AUTH_SCHEME_KIND_H
#define AUTH_SCHEME_KIND_H

#include "auth/scheme.h"
#include "base/buf.h"
#include "tls/digest.h"

/* How a hash is written down. */
enum encoding { AS_IS, HEX, BASE64 };

struct scheme;

/* The hash is decoded. */
typedef enum rc scheme_verifier(struct arena *a, const struct scheme *s,
                                struct str hash, struct str password,
                                struct why *why);
/* Append the hash, not encoded. */
typedef enum rc scheme_maker(struct buf *b, const struct scheme *s,
                             struct str password, unsigned rounds,
                             struct why *why);

struct scheme {
    const char *name;
    enum encoding encoding;
    size_t raw_len;     /* of the hash once decoded; 0: it varies */
    enum digest digest; /* where it is made from one */
    const char *prefix; /* of crypt(3) */
    unsigned rounds;    /* of new ones */

    scheme_verifier *verify;
    scheme_maker *make; /* NULL: no new ones */
};

scheme_verifier scheme_plain_verify, scheme_digest_verify, scheme_cram_verify;
scheme_verifier scheme_scram_verify, scheme_pbkdf2_verify;
scheme_verifier scheme_crypt_verify, scheme_argon_verify;

scheme_maker scheme_plain_make, scheme_digest_make, scheme_salted_make;
scheme_maker scheme_cram_make, scheme_scram_make, scheme_pbkdf2_make;
scheme_maker scheme_crypt_make, scheme_argon_make;

/* What verify says of hashes that are right or not, and of damaged ones. */
enum rc scheme_right(bool right, struct why *why);
enum rc scheme_damaged(struct why *why);
enum rc scheme_too_dear(struct why *why);

void scheme_add_hex(struct buf *b, struct str raw);

#endif
