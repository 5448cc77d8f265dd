#include "tls/server.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "tls/digest.h"

struct tls_server_files {
    X509_STORE *authorities;     /* NULL: nobody asks for certificates */
    STACK_OF(X509_NAME) * names; /* of whom a client may show one */
    EVP_PKEY *dh;                /* NULL: by the key's size */
};

#define DEPTH_MAX 100

static enum rc
failed(struct why *why, const char *what)
{
    char text[256];

    return fail(why, "4.3.5", "%s: %s", what, tls_error_text(text));
}

/* ---- files */

static enum rc
read_authorities(const struct tls_server_options *o,
                 struct tls_server_files *files, struct why *why)
{
    X509_STORE *store = X509_STORE_new();

    must(store);
    files->authorities = store;
    if (*o->ca_file) {
        if (!X509_STORE_load_file(store, o->ca_file))
            return failed(why, o->ca_file);
        files->names = SSL_load_client_CA_file(o->ca_file);
    }
    if (*o->ca_path && !X509_STORE_load_path(store, o->ca_path))
        return failed(why, o->ca_path);
    if (o->system_cas && !X509_STORE_set_default_paths(store))
        return failed(why, "the system's authorities");
    ERR_clear_error();
    return OK;
}

static bool
is_auto(const char *file)
{
    return *file == '\0' || strcmp(file, "auto") == 0;
}

static enum rc
read_dh(const struct tls_server_options *o, struct tls_server_files *files,
        struct why *why)
{
    if (is_auto(o->dh_file))
        return OK;
    BIO *in = BIO_new_file(o->dh_file, "r");

    files->dh = in ? PEM_read_bio_Parameters(in, NULL) : NULL;
    BIO_free(in);
    if (files->dh == NULL || !EVP_PKEY_is_a(files->dh, "DH"))
        return failed(why, o->dh_file);
    ERR_clear_error();
    return OK;
}

enum rc
tls_server_read(struct arena *life, const struct tls_server_options *o,
                struct tls_server_files **files, struct why *why)
{
    *files = arena_make(life, struct tls_server_files);
    enum rc rc = read_dh(o, *files, why);

    if (rc == OK && o->ask_client)
        rc = read_authorities(o, *files, why);
    return rc;
}

/* ---- what stands beside a context and a session */

static int
options_index(void)
{
    static int index = -1; /* one a process, never changed */

    if (index < 0)
        index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    return index;
}

static const struct tls_server_options *
options_of(SSL *ssl)
{
    return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), options_index());
}

/* Not NULL: certificates of the name were used. */
static int
named_index(void)
{
    static int index = -1; /* likewise */

    if (index < 0)
        index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    return index;
}

const char *
tls_server_name(const SSL *ssl)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    return SSL_get_ex_data(ssl, named_index()) && name ? name : "";
}

/* ---- tickets (RFC 5077) with the board's keys */

static bool
set_mac(EVP_MAC_CTX *mac, struct board_ticket_key *key)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->hmac,
                                          sizeof key->hmac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};

    return EVP_MAC_CTX_set_params(mac, params) > 0;
}

static int
seal(struct board_ticket_key *key, unsigned char name[16], unsigned char *iv,
     EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    memcpy(name, key->name, sizeof key->name);
    return RAND_bytes(iv, 16) > 0 &&
                   EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->aes,
                                      iv) > 0 &&
                   set_mac(mac, key)
               ? 1
               : -1;
}

/* TLS 1.3 wants a ticket used once; so does one that soon cannot be opened. */
static int
unseal(SSL *ssl, struct board_ticket_key *keys, unsigned count,
       const unsigned char name[16], const unsigned char *iv,
       EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    for (unsigned i = 0; i < count; i++) {
        if (memcmp(name, keys[i].name, sizeof keys[i].name) != 0)
            continue;
        if (EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, keys[i].aes,
                               iv) <= 0 ||
            !set_mac(mac, &keys[i]))
            return -1;
        return i > 0 || SSL_version(ssl) >= TLS1_3_VERSION ? 2 : 1;
    }
    return 0;
}

static int
on_ticket(SSL *ssl, unsigned char name[16], unsigned char *iv,
          EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int sealing)
{
    struct board_ticket_key keys[2];
    unsigned count = board_ticket_keys(options_of(ssl)->board, keys);
    int done = 0;

    if (count > 0 && sealing)
        done = seal(&keys[0], name, iv, cipher, mac);
    else if (count > 0)
        done = unseal(ssl, keys, count, name, iv, cipher, mac);
    explicit_bzero(keys, sizeof keys);
    return done;
}

/* ---- what clients ask for */

/* Of another protocol's client, who was led here by somebody in between. */
static int
on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
        const unsigned char *in, unsigned in_len, void *unused)
{
    struct str want = str_from(options_of(ssl)->alpn);

    (void)unused;
    for (unsigned at = 0; at < in_len; at += in[at] + 1u) {
        struct str one = {(const char *)in + at + 1, in[at]};

        if (one.len <= in_len - at - 1 && str_eq(one, want)) {
            *out = in + at + 1;
            *out_len = in[at];
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static bool
is_host_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!is_alnum(name.p[i]) && name.p[i] != '-' && name.p[i] != '.' &&
            name.p[i] != '_')
            return false;
    return name.len > 0 && name.len <= 255 && name.p[0] != '.';
}

/* Comes twice where the client's first key share was of no use. */
static int
on_name(SSL *ssl, int *alert, void *unused)
{
    const struct tls_server_options *o = options_of(ssl);
    const char *given = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    struct str name = str_from(given);
    char lower[256];

    (void)unused;
    if (o->name == NULL || given == NULL || !is_host_name(name))
        return SSL_TLSEXT_ERR_NOACK;
    if (SSL_get_ex_data(ssl, named_index()))
        return SSL_TLSEXT_ERR_OK;
    for (size_t i = 0; i < name.len; i++)
        lower[i] = to_lower(name.p[i]);
    name.p = lower;
    switch (o->name(o->own, ssl, name)) {
    case TLS_NAME_UNKNOWN:
        return SSL_TLSEXT_ERR_NOACK;
    case TLS_NAME_DONE:
        SSL_set_ex_data(ssl, named_index(), (void *)(uintptr_t)o);
        return SSL_TLSEXT_ERR_OK;
    default:
        *alert = SSL_AD_INTERNAL_ERROR;
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
}

/* The handshake goes on whatever the certificate is worth: the program says
 * who may do what (its error stays for tls_facts). */
static int
on_certificate(int good, X509_STORE_CTX *ctx)
{
    (void)good;
    (void)ctx;
    return 1;
}

/* ---- the context */

/* The library refuses a list with a curve that it does not know. */
static bool
set_groups(SSL_CTX *ctx, const char *groups)
{
    struct str rest = str_from(groups), word;
    char list[512] = "";
    size_t len = 0;

    while (str_word(&rest, ", \t\r\n:", &word)) {
        char one[64];

        if (word.len >= sizeof one || len + word.len + 2 > sizeof list)
            continue;
        memcpy(one, word.p, word.len);
        one[word.len] = '\0';
        if (!SSL_CTX_set1_groups_list(ctx, one))
            continue;
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%s",
                                len > 0 ? ":" : "", one);
    }
    ERR_clear_error();
    return len > 0 && SSL_CTX_set1_groups_list(ctx, list);
}

/* Exchanges that need the private key for more than a signature, and have no
 * forward secrecy, are not had (RFC 9325 4.1). */
static bool
set_ciphers(SSL_CTX *ctx, const struct tls_server_options *o)
{
    char list[4096];
    int len = snprintf(list, sizeof list, "%s:!kRSA:!kPSK:!aPSK%s", o->ciphers,
                       *o->groups ? "" : ":!kECDHE");

    return len > 0 && (size_t)len < sizeof list &&
           SSL_CTX_set_cipher_list(ctx, list);
}

static void
set_tickets(SSL_CTX *ctx, const struct tls_server_options *o)
{
    uint8_t id[32];
    struct str name = str_from(o->sessions);

    digest_of(DIGEST_SHA256, &name, 1, id);
    SSL_CTX_set_session_id_context(ctx, id, sizeof id);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, o->ticket_life > 0 && o->board ? 1 : 0);
    if (o->ticket_life <= 0 || o->board == NULL) {
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
        return;
    }
    SSL_CTX_set_timeout(ctx, (long)(o->ticket_life / 1000));
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
}

static void
set_client(SSL_CTX *ctx, const struct tls_server_options *o,
           const struct tls_server_files *files)
{
    if (!o->ask_client) {
        /* Nor is there anything to complete a chain with: without this the
         * library tries to in each handshake. */
        SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
        return;
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE,
                       on_certificate);
    SSL_CTX_set_verify_depth(ctx, o->depth < DEPTH_MAX ? o->depth : DEPTH_MAX);
    SSL_CTX_set1_cert_store(ctx, files->authorities);
    if (files->names)
        SSL_CTX_set_client_CA_list(ctx, SSL_dup_CA_list(files->names));
}

static void
set_options(SSL_CTX *ctx, const struct tls_server_options *o)
{
    SSL_CTX_clear_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_options(ctx, (SSL_OP_ALL & ~o->not_options) | o->options);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_NO_SSLv3 | SSL_OP_SINGLE_DH_USE |
                                 SSL_OP_SINGLE_ECDH_USE);
    if (o->own_order)
        SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
    tls_protocols_apply(&o->protocols, ctx, NULL);
    /* Signatures before TLS 1.2 are too weak for any other level. */
    if (o->protocols.least < TLS1_2_VERSION)
        SSL_CTX_set_security_level(ctx, 0);
}

SSL_CTX *
tls_server_context(const struct tls_server_options *o,
                   const struct tls_server_files *files, struct why *why)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    must(ctx);
    must(SSL_CTX_set_ex_data(ctx, options_index(), (void *)(uintptr_t)o));
    set_options(ctx, o);
    if (!set_ciphers(ctx, o) || (*o->groups && !set_groups(ctx, o->groups))) {
        (void)!failed(why, "no TLS ciphers or curves are left");
        SSL_CTX_free(ctx);
        return NULL;
    }
    if (files->dh) {
        if (EVP_PKEY_up_ref(files->dh))
            SSL_CTX_set0_tmp_dh_pkey(ctx, files->dh);
    } else {
        SSL_CTX_set_dh_auto(ctx, 1);
    }
    set_tickets(ctx, o);
    set_client(ctx, o, files);
    SSL_CTX_set_tlsext_servername_callback(ctx, on_name);
    if (o->alpn)
        SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
    ERR_clear_error();
    return ctx;
}

SSL *
tls_server_session(SSL_CTX *ctx)
{
    SSL *ssl = SSL_new(ctx);

    must(ssl);
    SSL_set_accept_state(ssl);
    return ssl;
}

/* ---- bits */

static const struct {
    const char *name;
    uint64_t bit;
} bits_known[] = {
#define BIT(name)                                                              \
    {                                                                          \
#name, SSL_OP_##name                                                   \
    }
    BIT(LEGACY_SERVER_CONNECT),
    BIT(TLSEXT_PADDING),
    BIT(SAFARI_ECDHE_ECDSA_BUG),
    BIT(DONT_INSERT_EMPTY_FRAGMENTS),
    BIT(CRYPTOPRO_TLSEXT_BUG),
    BIT(NO_TICKET),
    BIT(NO_COMPRESSION),
    BIT(NO_RENEGOTIATION),
    BIT(NO_SESSION_RESUMPTION_ON_RENEGOTIATION),
    BIT(PRIORITIZE_CHACHA),
    BIT(ENABLE_MIDDLEBOX_COMPAT),
    BIT(TLS_ROLLBACK_BUG),
    BIT(NO_ENCRYPT_THEN_MAC),
    BIT(ALLOW_NO_DHE_KEX),
 /* Bugs that this library no longer knows of. */
    {"MICROSOFT_SESS_ID_BUG",            0},
    {"NETSCAPE_CHALLENGE_BUG",           0},
    {"NETSCAPE_REUSE_CIPHER_CHANGE_BUG", 0},
    {"SSLREF2_REUSE_CERT_TYPE_BUG",      0},
    {"MICROSOFT_BIG_SSLV3_BUFFER",       0},
    {"MSIE_SSLV2_RSA_PADDING",           0},
    {"SSLEAY_080_CLIENT_DH_BUG",         0},
    {"TLS_D5_BUG",                       0},
    {"TLS_BLOCK_PADDING_BUG",            0},
#undef BIT
};

enum rc
tls_bits_parse(const char *what, struct str text, uint64_t *bits,
               struct why *why)
{
    struct str word;

    *bits = 0;
    while (str_word(&text, ", \t\r\n:", &word)) {
        uint64_t number;
        struct str hex = word;
        size_t i = 0;

        if (str_iskip(&hex, S("0x")) && str_hex(hex, &number)) {
            *bits |= number;
            continue;
        }
        while (i < COUNT(bits_known) &&
               !str_ieq(word, str_from(bits_known[i].name)))
            i++;
        if (i == COUNT(bits_known))
            return fail(why, "4.3.5", "%s: unknown option \"%.*s\"", what,
                        STR(word));
        *bits |= bits_known[i].bit;
    }
    return OK;
}
