#include "tls/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tls/session.h"

/* ---- one object of PEM after the other */

struct object {
    char *name, *header;
    unsigned char *data;
    long len;
};

enum next { NEXT_OK, NEXT_END, NEXT_BAD };

static enum next
next_object(BIO *in, struct object *o)
{
    *o = (struct object){0};
    if (PEM_read_bio_ex(in, &o->name, &o->header, &o->data, &o->len,
                        PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE))
        return NEXT_OK;
    bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;

    ERR_clear_error();
    return end ? NEXT_END : NEXT_BAD;
}

static void
drop_object(struct object *o)
{
    OPENSSL_secure_free(o->name);
    OPENSSL_secure_free(o->header);
    OPENSSL_secure_clear_free(o->data, o->len > 0 ? (size_t)o->len : 0);
}

static bool
is_one_of(const struct object *o, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(o->name, names[i]) == 0)
            return true;
    return false;
}

static bool
is_cert(const struct object *o)
{
    static const char *const names[] = {PEM_STRING_X509, PEM_STRING_X509_OLD,
                                        PEM_STRING_X509_TRUSTED};

    return is_one_of(o, names, COUNT(names));
}

static bool
is_key(const struct object *o)
{
    static const char *const names[] = {PEM_STRING_PKCS8INF, PEM_STRING_RSA,
                                        PEM_STRING_ECPRIVATEKEY,
                                        PEM_STRING_PKCS8};

    return is_one_of(o, names, COUNT(names));
}

static bool
is_encrypted(const struct object *o)
{
    return strcmp(o->name, PEM_STRING_PKCS8) == 0 ||
           strstr(o->header, "ENCRYPTED") != NULL;
}

static EVP_PKEY *
to_key(const struct object *o)
{
    const unsigned char *p = o->data;

    return d2i_AutoPrivateKey(NULL, &p, o->len);
}

static X509 *
to_cert(const struct object *o)
{
    const unsigned char *p = o->data;

    return strcmp(o->name, PEM_STRING_X509_TRUSTED) == 0
               ? d2i_X509_AUX(NULL, &p, o->len)
               : d2i_X509(NULL, &p, o->len);
}

/* ---- what is done with them */

struct reading {
    struct chains *out;
    size_t before; /* chains of *out that are not ours */
    bool keys;     /* keys begin chains; else they are passed over */
    bool certs;    /* certificates are taken */
};

static enum rc
take_key(struct reading *r, const struct object *o, struct why *why)
{
    if (is_encrypted(o))
        return fail(why, "5.3.0",
                    "the private key is encrypted: store it without a "
                    "passphrase");
    if (r->out->list.len - r->before >= CHAIN_KEYS)
        return fail(why, "5.3.0", "more than %d private keys", CHAIN_KEYS);
    EVP_PKEY *key = to_key(o);

    ERR_clear_error();
    if (key == NULL)
        return fail(why, "5.3.0", "a private key cannot be read");
    vec_add(&r->out->list)->key = key;
    return OK;
}

static enum rc
take_cert(struct reading *r, const struct object *o, struct why *why)
{
    if (r->out->list.len == r->before)
        return fail(why, "5.3.0",
                    "a certificate comes before the first private key");
    struct chain *c = &r->out->list.at[r->out->list.len - 1];

    if (c->certs.len >= CHAIN_CERTS)
        return fail(why, "5.3.0", "more than %d certificates", CHAIN_CERTS);
    X509 *cert = to_cert(o);

    ERR_clear_error();
    if (cert == NULL)
        return fail(why, "5.3.0", "a certificate cannot be read");
    *vec_add(&c->certs) = cert;
    return OK;
}

static enum rc
take_all(struct reading *r, struct str text, struct why *why)
{
    struct object o;
    enum rc rc = OK;
    enum next next;

    if (text.len > CHAIN_TEXT_MAX)
        return fail(why, "5.3.0", "more than %zu bytes", CHAIN_TEXT_MAX);
    BIO *in = BIO_new_mem_buf(text.p, (int)text.len);

    must(in);
    while (rc == OK && (next = next_object(in, &o)) != NEXT_END) {
        if (next == NEXT_BAD) {
            rc = fail(why, "5.3.0", "damaged PEM text");
            break;
        }
        if (is_key(&o) && r->keys)
            rc = take_key(r, &o, why);
        else if (is_cert(&o) && r->certs)
            rc = take_cert(r, &o, why);
        drop_object(&o);
    }
    BIO_free(in);
    return rc;
}

static enum rc
check(const struct chain *c, struct why *why)
{
    if (c->certs.len == 0)
        return fail(why, "5.3.0", "a private key has no certificate");
    bool match = X509_check_private_key(c->certs.at[0], c->key) == 1;

    ERR_clear_error();
    return match ? OK
                 : fail(why, "5.3.0",
                        "the private key is not that of the certificate");
}

static enum rc
finish(struct reading *r, enum rc rc, struct why *why)
{
    struct chains *out = r->out;

    if (rc == OK && out->list.len == r->before)
        rc = fail(why, "5.3.0", "there is no private key");
    for (size_t i = r->before; rc == OK && i < out->list.len; i++)
        rc = check(&out->list.at[i], why);
    while (rc != OK && out->list.len > r->before)
        chain_free(&out->list.at[--out->list.len]);
    return rc;
}

enum rc
chain_read(struct str text, struct chains *out, struct why *why)
{
    struct reading r = {
        .out = out, .before = out->list.len, .keys = true, .certs = true};

    return finish(&r, take_all(&r, text, why), why);
}

enum rc
chain_read_pair(struct str key, struct str certs, struct chains *out,
                struct why *why)
{
    struct reading r = {.out = out, .before = out->list.len, .keys = true};
    enum rc rc = take_all(&r, key, why);

    if (rc == OK && out->list.len - r.before > 1)
        rc = fail(why, "5.3.0", "more than one private key");
    if (rc == OK && out->list.len > r.before) {
        r.keys = false;
        r.certs = true;
        rc = take_all(&r, certs, why);
    }
    return finish(&r, rc, why);
}

enum rc
chain_read_certs(struct str text, struct chain *out, struct why *why)
{
    struct chains all = {0};
    struct reading r = {.out = &all, .certs = true};

    *vec_add(&all.list) = (struct chain){0};
    enum rc rc = take_all(&r, text, why);

    *out = all.list.at[0];
    vec_free(&all.list);
    if (rc == OK && out->certs.len == 0)
        rc = fail(why, "5.3.0", "there is no certificate");
    if (rc != OK)
        chain_free(out);
    return rc;
}

bool
chain_in_order(const struct chain *c, size_t *at)
{
    for (size_t i = 0; i + 1 < c->certs.len; i++) {
        *at = i;
        if (X509_check_issued(c->certs.at[i + 1], c->certs.at[i]) != X509_V_OK)
            return false;
    }
    return true;
}

void
chain_free(struct chain *c)
{
    EVP_PKEY_free(c->key);
    for (size_t i = 0; i < c->certs.len; i++)
        X509_free(c->certs.at[i]);
    vec_free(&c->certs);
    c->key = NULL;
}

void
chains_free(struct chains *c)
{
    for (size_t i = 0; i < c->list.len; i++)
        chain_free(&c->list.at[i]);
    vec_free(&c->list);
}

/* ---- files */

enum rc
chain_load(const char *path, struct str *text, struct why *why)
{
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    size_t len = 0;
    ssize_t n = 0;

    *text = (struct str){0};
    if (fd < 0 || fstat(fd, &st) < 0)
        return fail(why, "5.3.0", "cannot read %s: %m", path);
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > CHAIN_TEXT_MAX)
        return fail(why, "5.3.0", "%s is no file of at most %zu bytes", path,
                    CHAIN_TEXT_MAX);
    char *data = OPENSSL_secure_malloc((size_t)st.st_size + 1);

    if (data == NULL)
        return fail(why, "5.3.0", "no memory for %s", path);
    while (len < (size_t)st.st_size &&
           (n = read(fd, data + len, (size_t)st.st_size - len)) > 0)
        len += (size_t)n;
    if (n < 0) {
        OPENSSL_secure_free(data);
        return fail(why, "5.3.0", "cannot read %s: %m", path);
    }
    *text = (struct str){data, len};
    return OK;
}

void
chain_wipe(struct str *text)
{
    OPENSSL_secure_clear_free((char *)(uintptr_t)text->p, text->len + 1);
    *text = (struct str){0};
}
