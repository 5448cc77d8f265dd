/*
 * Trust anchors from a file of their own.
 */
#include <openssl/err.h>
#include <openssl/pem.h>

#include "tls/client.h"

#define ANCHORS_MAX 100

/* One block of the file as a record; false where it is none. */
static bool
take(const char *kind, struct str block, struct tls_record *r)
{
    const unsigned char *at = (const unsigned char *)block.p;
    bool good = false;

    *r = (struct tls_record){.usage = TLSA_CA, .data = block};
    if (strcmp(kind, PEM_STRING_PUBLIC) == 0) {
        EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)block.len);

        r->selector = 1;
        good = key != NULL;
        EVP_PKEY_free(key);
    } else if (strcmp(kind, PEM_STRING_X509) == 0 ||
               strcmp(kind, PEM_STRING_X509_OLD) == 0) {
        X509 *cert = d2i_X509(NULL, &at, (long)block.len);

        good = cert != NULL;
        X509_free(cert);
    }
    return good && at == (const unsigned char *)block.p + block.len;
}

enum rc
tls_anchors_read(struct arena *a, const char *path, struct tls_record **records,
                 size_t *count, struct why *why)
{
    BIO *file = BIO_new_file(path, "r");
    char *kind, *header;
    unsigned char *data;
    long len;
    bool good = true;

    *records = arena_alloc(a, sizeof **records * ANCHORS_MAX);
    *count = 0;
    while (file && good && *count < ANCHORS_MAX &&
           PEM_read_bio(file, &kind, &header, &data, &len)) {
        struct str block =
            arena_str(a, (struct str){(const char *)data, (size_t)len});

        good = take(kind, block, &(*records)[(*count)++]);
        OPENSSL_free(kind);
        OPENSSL_free(header);
        OPENSSL_free(data);
    }
    BIO_free(file);
    ERR_clear_error();
    if (file == NULL)
        return fail(why, "4.3.0", "cannot read trust anchors of %s", path);
    if (!good || *count == 0)
        return fail(why, "4.3.0", "%s has no trust anchors, or others too",
                    path);
    return OK;
}
