/*
 * What postconf tells about the suite itself.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>
#include <stdlib.h>

#include "postconf.h"
#include "store/lock.h"

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
        pc_warn(p, "unknown 'postconf -T' mode: %s", p->tls);
        exit(1);
    }
}

static int
text_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
show_maps(struct postconf *p)
{
    /* proxy: is a prefix that map.c takes off. */
    static const char *const types[] = {
#define TYPE(name, type) name,
#include "map/types.def"
        "proxy",
    };
    const char *sorted[COUNT(types)];

    memcpy(sorted, types, sizeof types);
    qsort(sorted, COUNT(sorted), sizeof *sorted, text_order);
    for (size_t i = 0; i < COUNT(sorted); i++)
        buf_fmt(&p->out, "%s\n", sorted[i]);
}

/* In Postfix's order, those that mailbox_delivery_lock takes. */
static void
show_locks(struct postconf *p)
{
    static const char *const names[] = {"flock", "fcntl", "dotlock"};
    unsigned kinds;
    struct why why;

    for (size_t i = 0; i < COUNT(names); i++)
        if (lock_parse(names[i], &kinds, &why) == OK)
            buf_fmt(&p->out, "%s\n", names[i]);
}

/* What smtpd_sasl_type and smtp_sasl_type may be, in Postfix's words. */
static void
show_logins(struct postconf *p)
{
    if (p->options & PC_SASL_SERVER)
        buf_fmt(&p->out, "cyrus\ndovecot\n");
    if (p->options & PC_SASL_CLIENT)
        buf_fmt(&p->out, "cyrus\n");
}

void
pc_show_other(struct postconf *p)
{
    show_logins(p);
    if (p->options & PC_TLS)
        show_tls(p);
    if (p->options & PC_MAPS)
        show_maps(p);
    if (p->options & PC_LOCKS)
        show_locks(p);
}
