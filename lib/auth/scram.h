/*
 * scram.h - what both sides of SCRAM and its stored passwords share (RFC
 * 5802, 7677): attributes, keys, proofs.
 */
#ifndef AUTH_SCRAM_H
#define AUTH_SCRAM_H

#include "base/buf.h"
#include "tls/digest.h"

/* Longest salt, raw. */
#define SCRAM_SALT_MAX 64

/* What a server keeps. */
struct scram_keys {
    unsigned rounds;
    uint8_t salt[SCRAM_SALT_MAX];
    size_t salt_len;
    uint8_t stored[DIGEST_MAX], server[DIGEST_MAX];
};

/* Compute them from a prepared password; rounds and salt are set. */
void scram_keys_make(enum digest d, struct str password, struct scram_keys *k);

/* "rounds,salt,storedkey,serverkey", as Dovecot keeps them. */
void scram_keys_print(struct buf *b, enum digest d, const struct scram_keys *k);
bool scram_keys_parse(struct arena *a, enum digest d, struct str text,
                      struct scram_keys *k) MUST_USE;

/* The keys of a user who does not exist: always the same for that name. Only
 * rounds (given) and salt are real. */
void scram_keys_invent(enum digest d, struct str secret, struct str user,
                       unsigned rounds, struct scram_keys *k);

/* The salt of keys that are made from a password in the clear. */
void scram_salt(struct str secret, struct str user, struct scram_keys *k);

/* Take "x=value" off the front of a list with commas; false where another
 * attribute stands there, or none. */
bool scram_attribute(struct str *rest, char name, struct str *value);

/* Names: "," is "=2C", "=" is "=3D". */
void scram_name_encode(struct buf *b, struct str name);
bool scram_name_decode(struct arena *a, struct str in, struct str *name);

/* From key and signature to proof, and back. */
void scram_xor(uint8_t *to, const uint8_t *with, size_t len);

/* The client's key of a salted password, its stored key, the server's key. */
void scram_keys_client(enum digest d, struct str password,
                       const struct scram_keys *k, uint8_t *client,
                       uint8_t *stored, uint8_t *server);

#endif
