/*
 * chain.h - private keys and their certificates, out of PEM text.
 *
 * Pure: the caller reads the files, and wipes them. Only who holds keys (role
 * keys of authd) and "posta check" have a use for it.
 */
#ifndef TLS_CHAIN_H
#define TLS_CHAIN_H

#include <openssl/types.h>

#include "base/arena.h"
#include "base/vec.h"
#include "base/why.h"

/* A key, its own certificate first, then those above it. */
struct chain {
    EVP_PKEY *key;
    VEC(X509 *) certs;
};

struct chains {
    VEC(struct chain) list;
};

/* Larger text is refused, and so are more objects than a TLS message holds. */
#define CHAIN_TEXT_MAX ((size_t)128 << 10)
#define CHAIN_CERTS    16
#define CHAIN_KEYS     8

/*
 * Each key is followed by its certificate and those above it, as in Postfix's
 * smtpd_tls_chain_files and tls_server_sni_maps; text is that of all files.
 * Chains are added to *out. PERM, with *out as it was: what is wrong, without
 * a file's name.
 */
enum rc chain_read(struct str text, struct chains *out,
                   struct why *why) MUST_USE;

/* One key out of one text, certificates out of another (or the same one): the
 * key's own is the first. */
enum rc chain_read_pair(struct str key, struct str certs, struct chains *out,
                        struct why *why) MUST_USE;

/* Certificates alone. */
enum rc chain_read_certs(struct str text, struct chain *out,
                         struct why *why) MUST_USE;

/* Each certificate was made by the next one; false: *at is the first that was
 * not. */
bool chain_in_order(const struct chain *c, size_t *at);

void chain_free(struct chain *c);
void chains_free(struct chains *c);

/* Read a file whole, at most CHAIN_TEXT_MAX, into memory that is not dumped;
 * chain_wipe when done. */
enum rc chain_load(const char *path, struct str *text,
                   struct why *why) MUST_USE;
void chain_wipe(struct str *text);

#endif
