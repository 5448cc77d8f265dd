/*
 * What postconf tells about the suite itself.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>

#include "postconf.h"

static void
show_algorithms(struct postconf *p)
{
    static const struct {
        const char *name, *text;
    } kinds[] = {
        {"DSA", "dsa"  },
        {"EC",  "ecdsa"},
        {"RSA", "rsa"  },
    };

    for (size_t i = 0; i < COUNT(kinds); i++) {
        EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, kinds[i].name, NULL);

        if (c)
            buf_fmt(&p->out, "%s\n", kinds[i].text);
        EVP_PKEY_CTX_free(c);
    }
}

static void
show_tls(struct postconf *p)
{
    if (strcmp(p->tls, "compile-version") == 0) {
        buf_fmt(&p->out, "%s\n", OPENSSL_VERSION_TEXT);
    } else if (strcmp(p->tls, "run-version") == 0) {
        buf_fmt(&p->out, "%s\n", OpenSSL_version(OPENSSL_VERSION));
    } else if (strcmp(p->tls, "public-key-algorithms") == 0) {
        show_algorithms(p);
    } else {
        pc_fatal(p, "unknown 'postconf -T' mode: %s", p->tls);
    }
}

void
pc_show_other(struct postconf *p)
{
    if (p->options & PC_TLS)
        show_tls(p);
}
