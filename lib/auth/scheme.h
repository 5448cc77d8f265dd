/*
 * scheme.h - hashed passwords, in Dovecot's forms and with its names.
 *
 * A stored password is "{SCHEME}hash". Behind the name may stand .b64,
 * .base64 or .hex: how the hash is written down. Without a name it is
 * CRYPT, or another default of the caller's.
 *
 * These functions take as long as a hash costs (up to seconds) and as much
 * memory as it asks for (up to SCHEME_MEMORY_MAX): they are for processes that
 * may block.
 */
#ifndef AUTH_SCHEME_H
#define AUTH_SCHEME_H

#include "base/arena.h"
#include "base/why.h"

/* What new passwords get: memory-hard, and Dovecot checks it. */
#define SCHEME_DEFAULT "ARGON2ID"

/* What a hash in a file may cost at most; dearer ones are refused (TEMP), as
 * they would be a way to stop the service. */
#define SCHEME_MEMORY_MAX   (256u << 10) /* KiB, ARGON2 */
#define SCHEME_WORK_MAX     (1u << 20)   /* KiB times passes, ARGON2 */
#define SCHEME_LANES_MAX    16           /* ARGON2; no threads are made */
#define SCHEME_ROUNDS_MAX   2000000      /* PBKDF2, SCRAM, SHA256/512-CRYPT */
#define SCHEME_BLOWFISH_MAX 15           /* BLF-CRYPT, log2 */

/* Rounds of new SCRAM keys (RFC 7677 wants at least 4096, and 15000 where
 * clients can bear it). */
#define SCHEME_SCRAM_ROUNDS 15000

/* Longest password for crypt(3), longest stored password. */
#define SCHEME_CRYPT_MAX  511
#define SCHEME_STORED_MAX 4096

/* Cut "{SCHEME}hash"; without braces the scheme is `none` ("CRYPT"). False
 * where a brace is not closed. */
bool scheme_cut(struct str stored, const char *none, struct str *scheme,
                struct str *hash);

/* Is there such a scheme (with or without an encoding behind it)? */
bool scheme_known(struct str scheme);

/* The i-th name of a scheme that scheme_make can make; NULL behind the last. */
const char *scheme_name(size_t i);

/*
 * Is this the password? OK, PERM (it is not), or TEMP where that cannot be
 * found out: an unknown scheme, a damaged hash, one that costs too much.
 */
enum rc scheme_verify(struct arena *a, struct str stored, const char *none,
                      struct str password, struct why *why) MUST_USE;

/* Take as long as a verification of SCHEME_DEFAULT does, with the result NO:
 * for users who do not exist. */
void scheme_waste(struct arena *a, struct str password);

/*
 * Make "{SCHEME}hash" of a password that saslprep has prepared. rounds is the
 * cost, 0 the scheme's default: rounds of PBKDF2, SCRAM and SHA256/512-CRYPT,
 * passes of ARGON2, log2 of BLF-CRYPT. PERM where scheme or password cannot be.
 */
enum rc scheme_make(struct arena *a, struct str scheme, struct str password,
                    unsigned rounds, struct str *stored,
                    struct why *why) MUST_USE;

/*
 * The credentials that a mechanism needs: for SCRAM-SHA-1 and SCRAM-SHA-256
 * "rounds,salt,storedkey,serverkey" (base64), for CRAM-MD5 64 hexadecimal
 * digits. They come from a password stored in that scheme, or in the clear;
 * the salt is then made from secret (as in struct sasl_peer) and user, so
 * that it stays the same. PERM where another scheme keeps them.
 */
enum rc scheme_credentials(struct arena *a, struct str stored, const char *none,
                           const char *wanted, struct str user,
                           struct str secret, struct str *data,
                           struct why *why) MUST_USE;

#endif
