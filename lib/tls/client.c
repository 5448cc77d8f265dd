#include "tls/client.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/pack.h"
#include "tls/client_cache.h"

struct tls_client {
    SSL_CTX *ctx;
    struct tls_client_options options;
    struct client_cache *cache; /* NULL: nothing is remembered */
    size_t digest_size[256];    /* by TLSA matching type; 0: not used */
};

/* What goes along with a session, from before its handshake to its end. */
struct ticket {
    const struct tls_client *client;
    const struct tls_demand *demand;
    struct client_entry entry; /* what is remembered with it */
    long result;               /* X509_V_ of the certificate */
};

static const char *const levels[] = {
    [TLS_NONE] = "none",           [TLS_MAY] = "may",
    [TLS_ENCRYPT] = "encrypt",     [TLS_FINGERPRINT] = "fingerprint",
    [TLS_HALF_DANE] = "half-dane", [TLS_DANE] = "dane",
    [TLS_DANE_ONLY] = "dane-only", [TLS_VERIFY] = "verify",
    [TLS_SECURE] = "secure",
};

bool
tls_level_parse(struct str name, enum tls_level *level)
{
    for (size_t i = 0; i < COUNT(levels); i++)
        if (i != TLS_HALF_DANE && str_ieq(name, str_from(levels[i]))) {
            *level = (enum tls_level)i;
            return true;
        }
    return false;
}

const char *
tls_level_name(enum tls_level level)
{
    return levels[level];
}

/* ---- what a demand is made of */

bool
tls_print_parse(struct arena *a, struct str text, struct str *print)
{
    struct buf b = buf_in(a);
    size_t digits = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = to_upper(text.p[i]);

        if (c == ':' && digits > 0 && digits % 2 == 0)
            continue;
        if (!is_digit(c) && (c < 'A' || c > 'F'))
            return false;
        if (digits > 0 && digits % 2 == 0)
            buf_addc(&b, ':');
        buf_addc(&b, c);
        digits++;
    }
    *print = buf_str(&b);
    return digits >= 32 && digits <= (size_t)2 * EVP_MAX_MD_SIZE &&
           digits % 2 == 0;
}

struct str
tls_demand_key(struct arena *a, const struct tls_demand *d)
{
    struct buf b = buf_in(a);

    pack_num(&b, (int64_t)d->level);
    pack_num(&b, d->protocols.least);
    pack_num(&b, d->protocols.most);
    pack_num(&b, (int64_t)d->protocols.off);
    pack_text(&b, str_from(d->ciphers));
    pack_text(&b, str_from(d->sni));
    pack_num(&b, (int64_t)d->name_count);
    for (size_t i = 0; i < d->name_count; i++)
        pack_text(&b, d->names[i]);
    pack_num(&b, (int64_t)d->print_count);
    for (size_t i = 0; i < d->print_count; i++)
        pack_text(&b, d->prints[i]);
    for (size_t i = 0; i < d->record_count; i++) {
        const struct tls_record *r = &d->records[i];

        pack_num(&b, r->usage << 16 | r->selector << 8 | r->matching);
        pack_text(&b, r->data);
    }
    return buf_str(&b);
}

/* ---- TLSA records */

/* One of tls_dane_digests: its name, and its matching type. */
static bool
parse_digest(struct str word, const EVP_MD **md, uint8_t *type)
{
    static const char *const known[] = {NULL, "sha256", "sha512"};
    struct str name;
    uint64_t number = 0;
    char text[32];
    bool numbered = str_cut(&word, '=', &name);

    if (numbered && !str_num(word, &number))
        return false;
    if (name.len >= sizeof text)
        return false;
    memcpy(text, name.p, name.len);
    text[name.len] = '\0';
    for (size_t i = 1; !numbered && i < COUNT(known); i++)
        if (str_ieq(name, str_from(known[i])))
            number = i;
    *md = EVP_get_digestbyname(text);
    *type = (uint8_t)number;
    return *md != NULL && number > 0 && number < 256;
}

/* Only those count; the first is the best. */
static bool
rank_digests(struct tls_client *c, const char *list, struct why *why)
{
    struct str rest = str_from(list), word;
    uint8_t rank = 250, type;
    const EVP_MD *md;

    SSL_CTX_dane_mtype_set(c->ctx, NULL, 1, 0);
    SSL_CTX_dane_mtype_set(c->ctx, NULL, 2, 0);
    while (str_word(&rest, ", \t\r\n", &word) && rank > 1) {
        if (!parse_digest(word, &md, &type)) {
            (void)!fail(why, "4.3.5", "tls_dane_digests: bad digest \"%.*s\"",
                        STR(word));
            return false;
        }
        SSL_CTX_dane_mtype_set(c->ctx, md, type, rank--);
        c->digest_size[type] = (size_t)EVP_MD_get_size(md);
    }
    return true;
}

/* The whole certificate or key, and nothing behind it. */
static bool
is_whole(uint8_t selector, struct str data)
{
    const unsigned char *at = (const unsigned char *)data.p;
    const unsigned char *end = at + data.len;
    bool good;

    if (selector == 0) {
        X509 *cert = d2i_X509(NULL, &at, (long)data.len);

        good = cert && X509_get0_pubkey(cert);
        X509_free(cert);
    } else {
        EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)data.len);

        good = key != NULL;
        EVP_PKEY_free(key);
    }
    ERR_clear_error();
    return good && at == end;
}

bool
tls_client_can_use(const struct tls_client *c, const struct tls_record *r)
{
    if ((r->usage != TLSA_CA && r->usage != TLSA_SERVER) || r->selector > 1)
        return false;
    if (r->matching == 0)
        return is_whole(r->selector, r->data);
    return c->digest_size[r->matching] > 0 &&
           r->data.len == c->digest_size[r->matching];
}

/* ---- the context */

static int
ticket_index(void)
{
    static int index = -1; /* one a process, never changed */

    if (index < 0)
        index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    must(index >= 0);
    return index;
}

static struct ticket *
ticket_of(const SSL *ssl)
{
    return SSL_get_ex_data(ssl, ticket_index());
}

/* The server gave a session to go on with; in TLS 1.3 that is after the
 * handshake, perhaps more than once. */
static int
remember(SSL *ssl, SSL_SESSION *session)
{
    struct ticket *t = ticket_of(ssl);

    client_cache_put(t->client->cache, &t->entry, session);
    return 0;
}

/* Without a certificate the handshake goes on: it is the server's business. */
static int
certify(SSL *ssl, void *client)
{
    const struct tls_client *c = client;

    c->options.certify(c->options.own, ssl);
    return 1;
}

static bool
load_authorities(SSL_CTX *ctx, const struct tls_client_options *o,
                 struct why *why)
{
    char text[256];

    if (*o->ca_file && !SSL_CTX_load_verify_file(ctx, o->ca_file)) {
        (void)!fail(why, "4.3.5", "cannot load CAfile %s: %s", o->ca_file,
                    tls_error_text(text));
        return false;
    }
    if (*o->ca_path && !SSL_CTX_load_verify_dir(ctx, o->ca_path)) {
        (void)!fail(why, "4.3.5", "cannot use CApath %s: %s", o->ca_path,
                    tls_error_text(text));
        return false;
    }
    if (o->system_cas)
        SSL_CTX_set_default_verify_paths(ctx);
    ERR_clear_error();
    return true;
}

struct tls_client *
tls_client_new(struct arena *life, const struct tls_client_options *o,
               struct why *why)
{
    struct tls_client *c = arena_make(life, struct tls_client);

    c->options = *o;
    c->ctx = SSL_CTX_new(TLS_client_method());
    must(c->ctx);
    if (!EVP_get_digestbyname(o->print_digest)) {
        (void)!fail(why, "4.3.5", "unknown fingerprint digest \"%s\"",
                    o->print_digest);
        return NULL;
    }
    must(SSL_CTX_dane_enable(c->ctx));
    if (!load_authorities(c->ctx, o, why) ||
        !rank_digests(c, o->dane_digests, why))
        return NULL;
    SSL_CTX_set_verify_depth(c->ctx, o->depth);
    SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_OFF);
    if (o->certify)
        SSL_CTX_set_cert_cb(c->ctx, certify, c);
    if (o->remember > 0) {
        c->cache = client_cache_new(life, o->remember);
        SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_CLIENT |
                                                   SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(c->ctx, remember);
    }
    return c;
}

/* ---- a session */

/*
 * Where nothing is proved anyway, old ciphers and short keys are better than
 * the plain text that would be the alternative; the same goes for keys that
 * were pinned one by one.
 */
static int
security_level(enum tls_level level)
{
    return level >= TLS_VERIFY ? 1 : 0;
}

static bool
add_records(SSL *ssl, const struct tls_demand *d)
{
    /* Names are compared here: which of them count depends on the record. */
    if (d->record_count > 0 && SSL_dane_enable(ssl, NULL) <= 0)
        return false;
    for (size_t i = 0; i < d->record_count; i++) {
        const struct tls_record *r = &d->records[i];

        if (SSL_dane_tlsa_add(ssl, r->usage, r->selector, r->matching,
                              (const unsigned char *)r->data.p,
                              r->data.len) <= 0)
            return false;
    }
    return true;
}

static bool
configure(SSL *ssl, const struct tls_demand *d)
{
    SSL_set_connect_state(ssl);
    SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
    SSL_set_security_level(ssl, security_level(d->level));
    tls_protocols_apply(&d->protocols, NULL, ssl);
    return SSL_set_cipher_list(ssl, d->ciphers) && add_records(ssl, d) &&
           (*d->sni == '\0' || SSL_set_tlsext_host_name(ssl, d->sni));
}

static void
give_ticket(struct tls_client *c, SSL *ssl, const struct tls_demand *d,
            struct str server, struct arena *a)
{
    struct ticket *t = arena_make(a, struct ticket);
    struct buf key = buf_in(a);

    pack_text(&key, server);
    pack_text(&key, tls_demand_key(a, d));
    *t = (struct ticket){.client = c, .demand = d};
    t->entry.key = buf_str(&key);
    SSL_set_ex_data(ssl, ticket_index(), t);
    if (c->cache)
        client_cache_resume(c->cache, &t->entry, ssl);
}

SSL *
tls_client_session(struct tls_client *c, const struct tls_demand *d,
                   struct str server, struct arena *a, struct why *why)
{
    SSL *ssl = SSL_new(c->ctx);
    char text[256];

    must(ssl);
    if (!configure(ssl, d)) {
        (void)!fail(why, "4.7.5", "%s", tls_error_text(text));
        SSL_free(ssl);
        return NULL;
    }
    give_ticket(c, ssl, d, server, a);
    return ssl;
}

/* ---- the judgement */

static bool
has_name(const struct tls_client *c, const struct tls_demand *d, SSL *ssl)
{
    X509 *cert = SSL_get0_peer_certificate(ssl);
    unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;

    if (c->options.deep_wildcards)
        flags |= X509_CHECK_FLAG_MULTI_LABEL_WILDCARDS;
    for (size_t i = 0; cert && i < d->name_count; i++)
        if (X509_check_host(cert, d->names[i].p, d->names[i].len, flags,
                            NULL) == 1)
            return true;
    return false;
}

static bool
has_print(const struct tls_demand *d, const struct tls_facts *f)
{
    for (size_t i = 0; f->has_cert && i < d->print_count; i++)
        if (str_eq(d->prints[i], str_from(f->cert_print)) ||
            str_eq(d->prints[i], str_from(f->key_print)))
            return true;
    return false;
}

/* Where the record is of the server itself, it says all there is to be said:
 * neither its names nor its dates count (RFC 7672 3.1.1). */
static bool
is_pinned(SSL *ssl)
{
    uint8_t usage;

    return SSL_get0_dane_tlsa(ssl, &usage, NULL, NULL, NULL, NULL) >= 0 &&
           usage == TLSA_SERVER;
}

static void
judge(struct ticket *t, SSL *ssl, struct tls_facts *f)
{
    const struct tls_demand *d = t->demand;
    struct client_entry *e = &t->entry;

    t->result = SSL_get_verify_result(ssl);
    if (d->level == TLS_FINGERPRINT)
        t->result = has_print(d, f) ? X509_V_OK : X509_V_ERR_DANE_NO_MATCH;
    else if (d->level >= TLS_HALF_DANE && f->trusted && !is_pinned(ssl) &&
             !has_name(t->client, d, ssl))
        t->result = X509_V_ERR_HOSTNAME_MISMATCH;
    e->trusted = f->has_cert && t->result == X509_V_OK;
    e->met = d->level <= TLS_ENCRYPT || e->trusted;
    e->verified =
        e->trusted && d->level > TLS_ENCRYPT && d->level != TLS_HALF_DANE;
}

enum rc
tls_client_judge(struct tls_session *session, struct arena *a,
                 struct tls_facts *f, struct why *why)
{
    SSL *ssl = tls_ssl(session);
    struct ticket *t = ticket_of(ssl);

    tls_facts_learn(session, t->client->options.print_digest, a, f);
    f->sni = ""; /* our own words */
    if (!f->resumed) {
        t->entry.until = 0; /* of the session that the server did not take */
        judge(t, ssl, f);
        if (t->client->cache)
            client_cache_judged(t->client->cache, &t->entry);
    }
    f->trusted = t->entry.trusted;
    f->verified = t->entry.verified;
    if (!t->entry.met)
        return fail(why, "4.7.5", "Server certificate not verified");
    return OK;
}

/* The authority that nobody here knows. */
static const char *
top_issuer(SSL *ssl, struct arena *a)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    int count = chain ? sk_X509_num(chain) : 0;
    char text[256] = "";

    if (count > 0)
        X509_NAME_oneline(X509_get_issuer_name(sk_X509_value(chain, count - 1)),
                          text, sizeof text);
    return arena_fmt(a, "%s", text);
}

const char *
tls_client_complaint(struct tls_session *session, struct arena *a,
                     const char *name)
{
    SSL *ssl = tls_ssl(session);
    long result = ticket_of(ssl)->result;
    const char *text = X509_verify_cert_error_string(result);

    switch (result) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return arena_fmt(
            a, "certificate verification failed for %s: untrusted issuer %s",
            name, top_issuer(ssl, a));
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return arena_fmt(a, "certificate verification failed for %s: %s", name,
                         text);
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return arena_fmt(a, "server certificate verification failed for %s: %s",
                         name, text);
    default:
        return arena_fmt(
            a, "server certificate verification failed for %s: num=%ld:%s",
            name, result, text);
    }
}
