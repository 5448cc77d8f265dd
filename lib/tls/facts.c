#include "tls/facts.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "tls/server.h"

/* Of a key whose kind does not say its size, by the library's name for it. */
static const char *
curve_of(const EVP_PKEY *key, struct arena *a)
{
    char name[64];
    size_t len;

    if (!EVP_PKEY_get_group_name(key, name, sizeof name, &len))
        return "";
    return arena_fmt(a, "%s", name);
}

static void
learn_exchange(SSL *ssl, struct arena *a, struct tls_facts *f)
{
    EVP_PKEY *key = NULL;

    if (!SSL_get_peer_tmp_key(ssl, &key) || key == NULL)
        return;
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_DH:
        f->kex = "DHE";
        f->kex_bits = EVP_PKEY_get_bits(key);
        break;
    case EVP_PKEY_EC:
        f->kex = "ECDHE";
        f->kex_curve = curve_of(key, a);
        break;
    default:
        f->kex = OBJ_nid2sn(EVP_PKEY_get_base_id(key));
        break;
    }
    EVP_PKEY_free(key);
}

/* A side signed with that key, by that algorithm. */
static void
learn_proof(const X509 *cert, int digest, struct arena *a, struct tls_proof *p)
{
    EVP_PKEY *key = cert ? X509_get0_pubkey(cert) : NULL;

    if (key == NULL)
        return;
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
        p->name = "RSA-PSS"; /* TLS 1.3 has no other */
        p->bits = EVP_PKEY_get_bits(key);
        break;
    case EVP_PKEY_EC:
        p->name = "ECDSA";
        p->curve = curve_of(key, a);
        break;
    case NID_undef: /* a key of another provider has a name only */
        p->name = arena_fmt(a, "%s", EVP_PKEY_get0_type_name(key));
        break;
    default:
        p->name = OBJ_nid2sn(EVP_PKEY_get_base_id(key));
        break;
    }
    if (digest != NID_undef)
        p->digest = OBJ_nid2sn(digest);
}

static void
learn_proofs(SSL *ssl, struct arena *a, struct tls_facts *f)
{
    bool server = SSL_is_server(ssl);
    int digest;

    if (SSL_get_signature_nid(ssl, &digest))
        learn_proof(SSL_get_certificate(ssl), digest, a,
                    server ? &f->server : &f->client);
    if (SSL_get_peer_signature_nid(ssl, &digest))
        learn_proof(SSL_get0_peer_certificate(ssl), digest, a,
                    server ? &f->client : &f->server);
}

/* ---- the certificate */

static const char *
hexadecimal(struct arena *a, const unsigned char *bytes, size_t len)
{
    struct buf b = buf_in(a);

    for (size_t i = 0; i < len; i++)
        buf_fmt(&b, "%s%02X", i > 0 ? ":" : "", bytes[i]);
    return buf_str(&b).p;
}

static const char *
print_of(struct arena *a, const unsigned char *der, size_t len,
         const char *digest)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    size_t n = 0;

    if (!EVP_Q_digest(NULL, digest, NULL, der, len, sum, &n)) {
        ERR_clear_error();
        return NULL;
    }
    return hexadecimal(a, sum, n);
}

const char *
tls_cert_print(struct arena *a, const X509 *cert, const char *digest)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);
    const char *print = len > 0 ? print_of(a, der, (size_t)len, digest) : NULL;

    OPENSSL_free(der);
    return print;
}

const char *
tls_key_print(struct arena *a, const X509 *cert, const char *digest)
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    const char *print = len > 0 ? print_of(a, der, (size_t)len, digest) : NULL;

    OPENSSL_free(der);
    return print;
}

/* One entry of a name as UTF-8. A NUL in it would end it early for whoever
 * compares it: then it is no name. */
static const char *
name_entry(const X509_NAME *name, int nid, struct arena *a)
{
    int at = X509_NAME_get_index_by_NID(name, nid, -1);

    if (at < 0)
        return "";
    unsigned char *text = NULL;
    int len = ASN1_STRING_to_UTF8(
        &text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    const char *copy = "";

    if (len > 0 && memchr(text, '\0', (size_t)len) == NULL)
        copy = arena_cstr(a, (struct str){(char *)text, (size_t)len});
    OPENSSL_free(text);
    return copy;
}

static void
learn_certificate(SSL *ssl, const char *digest, struct arena *a,
                  struct tls_facts *f)
{
    X509 *cert = SSL_get0_peer_certificate(ssl);
    long result = SSL_get_verify_result(ssl);

    if (cert == NULL)
        return;
    f->has_cert = true;
    f->trusted = result == X509_V_OK;
    f->untrusted_why = f->trusted ? "" : X509_verify_cert_error_string(result);
    f->peer_cn = name_entry(X509_get_subject_name(cert), NID_commonName, a);
    f->issuer_cn = name_entry(X509_get_issuer_name(cert), NID_commonName, a);
    if (*f->issuer_cn == '\0')
        f->issuer_cn =
            name_entry(X509_get_issuer_name(cert), NID_organizationName, a);
    const char *cert_print = tls_cert_print(a, cert, digest);
    const char *key_print = tls_key_print(a, cert, digest);

    f->cert_print = cert_print ? cert_print : "";
    f->key_print = key_print ? key_print : "";
}

/* ---- all of it */

void
tls_facts_learn(struct tls_session *t, const char *digest, struct arena *a,
                struct tls_facts *f)
{
    static const struct tls_proof no_proof = {"", "", 0, ""};
    SSL *ssl = tls_ssl(t);
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    const char *sni = SSL_is_server(ssl)
                          ? tls_server_name(ssl)
                          : SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const unsigned char *alpn;
    unsigned alpn_len;

    SSL_get0_alpn_selected(ssl, &alpn, &alpn_len);
    *f = (struct tls_facts){
        .protocol = SSL_get_version(ssl),
        .cipher = cipher ? SSL_CIPHER_get_name(cipher) : "",
        .kex = "",
        .kex_curve = "",
        .server = no_proof,
        .client = no_proof,
        .sni = sni ? arena_fmt(a, "%s", sni) : "",
        .alpn = arena_cstr(a, (struct str){(const char *)alpn, alpn_len}),
        .resumed = SSL_session_reused(ssl),
        .untrusted_why = "",
        .peer_cn = "",
        .issuer_cn = "",
        .cert_print = "",
        .key_print = "",
    };
    if (cipher)
        f->bits = SSL_CIPHER_get_bits(cipher, &f->cipher_bits);
    if (SSL_version(ssl) >= TLS1_3_VERSION) {
        learn_exchange(ssl, a, f);
        if (!f->resumed)
            learn_proofs(ssl, a, f);
    }
    learn_certificate(ssl, digest, a, f);
    ERR_clear_error();
}

void
tls_facts_add_exchange(struct buf *b, const struct tls_facts *f)
{
    if (*f->kex == '\0')
        return;
    buf_fmt(b, " key-exchange %s", f->kex);
    if (*f->kex_curve)
        buf_fmt(b, " (%s)", f->kex_curve);
    else if (f->kex_bits > 0)
        buf_fmt(b, " (%d bits)", f->kex_bits);
}

void
tls_facts_add_proof(struct buf *b, const char *side, const struct tls_proof *p)
{
    if (*p->name == '\0')
        return;
    buf_fmt(b, " %s-signature %s", side, p->name);
    if (*p->curve)
        buf_fmt(b, " (%s)", p->curve);
    else if (p->bits > 0)
        buf_fmt(b, " (%d bits)", p->bits);
    if (*p->digest)
        buf_fmt(b, " %s-digest %s", side, p->digest);
}

const char *
tls_facts_line(struct arena *a, const struct tls_facts *f, const char *way,
               const char *name)
{
    struct buf b = buf_in(a);

    buf_fmt(&b, "%s TLS connection established %s %s",
            !f->has_cert  ? "Anonymous"
            : f->verified ? "Verified"
            : f->trusted  ? "Trusted"
                          : "Untrusted",
            way, name);
    if (*f->sni)
        buf_fmt(&b, " to %s", f->sni);
    buf_fmt(&b, ": %s with cipher %s (%d/%d bits)", f->protocol, f->cipher,
            f->bits, f->cipher_bits);
    tls_facts_add_exchange(&b, f);
    tls_facts_add_proof(&b, "server", &f->server);
    tls_facts_add_proof(&b, "client", &f->client);
    return buf_str(&b).p;
}

/* ---- channel bindings */

/* RFC 5929, 4.1: the digest of the certificate's signature, but SHA-256 for
 * MD5 and SHA-1; undefined where the signature has none (EdDSA), for which
 * everybody takes SHA-256. */
static size_t
end_point(const X509 *cert, unsigned char data[TLS_BINDING_MAX])
{
    int digest = NID_undef;
    unsigned len = 0;

    if (cert == NULL)
        return 0;
    if (!OBJ_find_sigid_algs(X509_get_signature_nid(cert), &digest, NULL) ||
        digest == NID_undef || digest == NID_md5 || digest == NID_sha1)
        digest = NID_sha256;
    const EVP_MD *md = EVP_get_digestbynid(digest);

    return md && X509_digest(cert, md, data, &len) ? len : 0;
}

size_t
tls_binding(const struct tls_session *t, enum tls_binding type,
            unsigned char data[TLS_BINDING_MAX])
{
    static const char label[] = "EXPORTER-Channel-Binding";
    SSL *ssl = tls_ssl(t);

    if (type == TLS_SERVER_END_POINT)
        return end_point(SSL_is_server(ssl) ? SSL_get_certificate(ssl)
                                            : SSL_get0_peer_certificate(ssl),
                         data);
    if (SSL_version(ssl) < TLS1_3_VERSION && SSL_get_extms_support(ssl) != 1)
        return 0;
    return SSL_export_keying_material(ssl, data, 32, label, sizeof label - 1,
                                      NULL, 0, 0) == 1
               ? 32
               : 0;
}
