/*
 * peers.h - keys and certificates made on the spot, for tests of lib/tls.
 */
#ifndef UNIT_TLS_PEERS_H
#define UNIT_TLS_PEERS_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/buf.h"

static inline EVP_PKEY *
make_key(const char *type)
{
    if (strcmp(type, "RSA") == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    if (strcmp(type, "EC") == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    return EVP_PKEY_Q_keygen(NULL, NULL, type);
}

/* Signed by issuer's key, or by itself. */
static inline X509 *
make_cert(EVP_PKEY *key, const char *name, const X509 *issuer,
          EVP_PKEY *issuer_key)
{
    X509 *cert = X509_new();
    X509_NAME *subject = X509_NAME_new();
    EVP_PKEY *signer = issuer_key ? issuer_key : key;

    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_set_subject_name(cert, subject);
    X509_set_issuer_name(cert,
                         issuer ? X509_get_subject_name(issuer) : subject);
    X509_set_pubkey(cert, key);
    X509_sign(cert, signer,
              EVP_PKEY_is_a(signer, "ED25519") ? NULL : EVP_sha256());
    X509_NAME_free(subject);
    return cert;
}

static inline void
add_pem(struct buf *b, BIO *bio)
{
    char *p;
    long len = BIO_get_mem_data(bio, &p);

    buf_add(b, (struct str){p, (size_t)len});
    BIO_free(bio);
}

static inline void
add_key(struct buf *b, EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());

    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    add_pem(b, bio);
}

static inline void
add_cert(struct buf *b, X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());

    PEM_write_bio_X509(bio, cert);
    add_pem(b, bio);
}

#endif
