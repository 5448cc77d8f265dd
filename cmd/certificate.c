/*
 * The self-signed certificate that a new instance starts with.
 */
#include "init.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>

#define TEN_YEARS (3650L * 24 * 3600)

static bool
add_names(X509 *cert, const char *san)
{
    static const struct {
        int nid;
        const char *value;
    } fixed[] = {
        {NID_basic_constraints, "critical,CA:FALSE"        },
        {NID_key_usage,         "critical,digitalSignature"},
        {NID_ext_key_usage,     "serverAuth,clientAuth"    },
    };
    bool good = true;

    for (size_t i = 0; i <= COUNT(fixed) && good; i++) {
        X509_EXTENSION *e =
            i < COUNT(fixed)
                ? X509V3_EXT_conf_nid(NULL, NULL, fixed[i].nid, fixed[i].value)
                : X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);

        good = e && X509_add_ext(cert, e, -1);
        X509_EXTENSION_free(e);
    }
    return good;
}

static X509 *
self_signed(EVP_PKEY *key, const char *host, const char *san)
{
    X509 *cert = X509_new();
    uint64_t serial;
    X509_NAME *name;

    if (cert == NULL ||
        RAND_bytes((unsigned char *)&serial, sizeof serial) != 1)
        return cert;
    name = X509_get_subject_name(cert);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), TEN_YEARS);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                               (const unsigned char *)host, -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_set_pubkey(cert, key);
    if (!add_names(cert, san) || !X509_sign(cert, key, EVP_sha256())) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

static bool
save(const char *path, mode_t mode, EVP_PKEY *key, X509 *cert)
{
    mode_t old = umask(0777 & ~mode);
    FILE *f = fopen(path, "wxe");

    umask(old);
    if (f == NULL) {
        fprintf(stderr, "posta: cannot create %s: %s\n", path, strerror(errno));
        return false;
    }
    bool good = key ? PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL)
                    : PEM_write_X509(f, cert);

    return fclose(f) == 0 && good;
}

bool
init_certificate(struct arena *a, const char *dir, const char *host)
{
    const char *folder = arena_fmt(a, "%s/tls", dir);
    const char *cert_path = arena_fmt(a, "%s/cert.pem", folder);
    const char *key_path = arena_fmt(a, "%s/key.pem", folder);

    if (mkdir(folder, 0755) < 0 && errno != EEXIST) {
        fprintf(stderr, "posta: cannot make folder %s: %s\n", folder,
                strerror(errno));
        return false;
    }
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert =
        key ? self_signed(key, host, arena_fmt(a, "DNS:%s", host)) : NULL;
    bool good = cert && save(key_path, 0600, key, NULL) &&
                save(cert_path, 0644, NULL, cert);

    if (cert == NULL)
        fprintf(stderr, "posta: OpenSSL cannot make a certificate for %s\n",
                host);
    X509_free(cert);
    EVP_PKEY_free(key);
    if (good)
        printf("  %-28s self-signed certificate and key\n", folder);
    return good;
}
