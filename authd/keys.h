/*
 * keys.h - the role keys: private keys, and who may have what is made with
 * them.
 *
 * keys_store.c reads identities (conf/identity.h) and tls_server_sni_maps;
 * keys.c answers those who ask.
 */
#ifndef AUTHD_KEYS_H
#define AUTHD_KEYS_H

#include "daemon/child.h"
#include "tls/chain.h"

/* With the rights the template was started with: read all there is. What
 * cannot be read has been logged, in one line each. */
void keys_store_open(struct daemon *d);

/* The identities, as text, of which something could not be read, and how many
 * chains they have; NULL at the end. */
const char *keys_store_bad(size_t i, size_t *chains);

/*
 * The chains of an identity: *chains is NULL where it is not known. With a
 * name, those of tls_server_sni_maps for it. TEMP where a table or its value
 * is no good.
 */
enum rc keys_store_find(struct str identity, struct str name,
                        const struct chains **chains, struct why *why) MUST_USE;

/* A key by its name (tls/sign.h); NULL if it is not here. */
EVP_PKEY *keys_store_key(struct str name);

#endif
