/*
 * provider.h - private keys that are elsewhere.
 *
 * A provider in OpenSSL 3 whose RSA, EC and Ed25519 keys have a public half
 * and a name (sign.h) only. Digests are computed here; a signature comes from
 * a function of the program's, which asks whoever holds the key. Nothing
 * secret is ever in this process: exporting a private half fails.
 *
 * The function may take its time. In an event loop: set SSL_MODE_ASYNC, send
 * the question in the function, and call ASYNC_pause_job; the handshake then
 * returns TLS_WANT_KEY, and goes on inside the function when it is called
 * again after the answer has come.
 */
#ifndef TLS_PROVIDER_H
#define TLS_PROVIDER_H

#include <openssl/types.h>

#include "base/why.h"
#include "tls/sign.h"

/* As sign_digest, by the key's name. Not OK fails the handshake; the function
 * has logged why. */
typedef enum rc tls_signer(void *own, struct str name, unsigned code,
                           struct str digest, unsigned char *bytes,
                           size_t *len);

/* Once a process, before any other use of OpenSSL. */
enum rc tls_provider_start(tls_signer *sign, void *own,
                           struct why *why) MUST_USE;

/* The key of a certificate: free it with EVP_PKEY_free. NULL where its kind
 * is none of ours. */
EVP_PKEY *tls_provider_key(const X509 *cert, struct why *why);

#endif
