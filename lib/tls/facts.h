/*
 * facts.h - what came of a handshake, for the log, the Received field, lists
 * of restrictions and logins.
 */
#ifndef TLS_FACTS_H
#define TLS_FACTS_H

#include "base/buf.h"
#include "tls/session.h"

/* How a side proved who it is; name is "" where it did not (a resumed
 * session, an anonymous side, or before TLS 1.3, where nobody asks). */
struct tls_proof {
    const char *name;   /* "RSA-PSS", "ECDSA", "ED25519" */
    const char *curve;  /* "prime256v1"; "" where there is none */
    int bits;           /* of the key; 0 where it has a curve or fixed size */
    const char *digest; /* "SHA256"; "" where there is none */
};

/* Texts are never NULL; "" is nothing. */
struct tls_facts {
    const char *protocol; /* "TLSv1.3" */
    const char *cipher;   /* "TLS_AES_256_GCM_SHA384" */
    int bits, cipher_bits;
    const char *kex; /* "X25519", "ECDHE", "DHE"; TLS 1.3 only */
    const char *kex_curve;
    int kex_bits;
    struct tls_proof server, client;
    const char *sni;
    const char *alpn;
    bool resumed;

    /* The peer's certificate. */
    bool has_cert;
    bool trusted;  /* its chain ends in a certificate we trust */
    bool verified; /* and is that of whom we mean: set by the client's level */
    const char *untrusted_why;       /* the library's words where it is not */
    const char *peer_cn, *issuer_cn; /* or the organisation, as Postfix */
    const char *cert_print,
        *key_print; /* "AB:CD:..." by the digest asked for */
};

/* After the handshake. digest is "sha256" and the like. */
void tls_facts_learn(struct tls_session *t, const char *digest, struct arena *a,
                     struct tls_facts *f);

/*
 * Postfix's line: "Anonymous TLS connection established from NAME: TLSv1.3
 * with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 ...";
 * way is "from" or "to".
 */
const char *tls_facts_line(struct arena *a, const struct tls_facts *f,
                           const char *way, const char *name);

/* Pieces of it, each with a blank before it: " key-exchange X25519", and
 * " server-signature RSA-PSS (2048 bits) server-digest SHA256"; nothing where
 * there is none. */
void tls_facts_add_exchange(struct buf *b, const struct tls_facts *f);
void tls_facts_add_proof(struct buf *b, const char *side,
                         const struct tls_proof *p);

/* Fingerprints of any certificate. NULL if there is no such digest. */
const char *tls_cert_print(struct arena *a, const X509 *cert,
                           const char *digest);
const char *tls_key_print(struct arena *a, const X509 *cert,
                          const char *digest);

enum tls_binding {
    TLS_EXPORTER,         /* RFC 9266, 32 bytes */
    TLS_SERVER_END_POINT, /* RFC 5929, 32 to 64 bytes */
};

#define TLS_BINDING_MAX 64

/* Channel binding data; how many bytes, 0 if this session has none such. (The
 * exporter of TLS 1.2 only with extended master secret.) */
size_t tls_binding(const struct tls_session *t, enum tls_binding type,
                   unsigned char data[TLS_BINDING_MAX]);

#endif
