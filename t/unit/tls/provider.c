#include "tls/provider.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tls/facts.h"
#include "unit/test.h"
#include "unit/tls/peers.h"

/* Who holds the keys: in these tests the process itself. */
static struct {
    EVP_PKEY *key;
    unsigned asked;
    bool refuses;
} holder;

static enum rc
sign(void *own, struct str name, unsigned code, struct str digest,
     unsigned char *bytes, size_t *len)
{
    unsigned char ours[SIGN_KEY_NAME];
    struct why why;

    (void)own;
    holder.asked++;
    assert_true(sign_key_name(holder.key, ours));
    assert_str(name, ((struct str){(char *)ours, sizeof ours}));
    if (holder.refuses)
        return TEMP;
    return sign_digest(holder.key, code, digest, bytes, len, &why);
}

static void
start(void)
{
    static bool started;
    struct why why;

    if (!started)
        assert_int_equal(tls_provider_start(sign, NULL, &why), OK);
    started = true;
    holder.asked = 0;
    holder.refuses = false;
}

static SSL *
new_ssl(SSL_CTX *ctx, int fd, bool server)
{
    SSL *ssl = SSL_new(ctx);

    SSL_set_fd(ssl, fd);
    if (server)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    return ssl;
}

/* Exit status 0: the handshake came about, and a byte came across. */
static pid_t
fork_client(int fd, int version)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    char c = 0;

    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    SSL *ssl = new_ssl(ctx, fd, false);
    bool good = SSL_do_handshake(ssl) == 1 && SSL_read(ssl, &c, 1) == 1;

    _exit(good && c == '!' ? 0 : 1);
}

/* Did the handshake come about? */
static bool
meet(const char *type, int version)
{
    EVP_PKEY *real = make_key(type);
    X509 *cert = make_cert(real, "mail.example.org", NULL, NULL);
    struct why why;
    EVP_PKEY *key = tls_provider_key(cert, &why);
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    struct arena *a = arena_new("test", 1 << 20);
    struct tls_session *t;
    struct tls_facts f;
    int fds[2], status = -1;

    holder.key = real;
    assert_non_null(key);
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
    assert_int_equal(SSL_CTX_use_cert_and_key(ctx, cert, key, NULL, 1), 1);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                     0);
    pid_t pid = fork_client(fds[1], version);

    close(fds[1]);
    struct stream *s = io_open(fds[0]);
    SSL *ssl = SSL_new(ctx);

    SSL_set_accept_state(ssl);
    bool met = tls_start(s, ssl, 60000, NULL, &t, &why) == IO_OK;
    if (met) {
        tls_facts_learn(t, "sha256", a, &f);
        assert_false(f.has_cert);
        if (version == TLS1_3_VERSION)
            assert_string_not_equal(f.server.name, "");
        io_put(s, S("!"));
        assert_int_equal(io_flush(s), IO_OK);
    }
    io_close(s);
    waitpid(pid, &status, 0);
    assert_int_equal(met, status == 0);
    arena_free(a);
    SSL_CTX_free(ctx);
    EVP_PKEY_free(key);
    EVP_PKEY_free(real);
    X509_free(cert);
    return met;
}

static void
handshakes(void **state)
{
    static const char *const types[] = {"RSA", "EC", "ED25519"};
    static const int versions[] = {TLS1_3_VERSION, TLS1_2_VERSION,
                                   TLS1_VERSION};

    (void)state;
    for (size_t i = 0; i < COUNT(types); i++)
        for (size_t k = 0; k < COUNT(versions); k++) {
            bool can = versions[k] != TLS1_VERSION || i < 2;

            start();
            if (meet(types[i], versions[k]) != can)
                fail_msg("%s, version %x", types[i], (unsigned)versions[k]);
            if (can)
                assert_int_equal(holder.asked, 1);
        }
}

static void
refusal_ends_the_handshake(void **state)
{
    (void)state;
    start();
    holder.refuses = true;
    assert_false(meet("RSA", TLS1_3_VERSION));
    assert_false(meet("EC", TLS1_2_VERSION));
}

static void
nothing_private_comes_out(void **state)
{
    EVP_PKEY *real = make_key("RSA");
    X509 *cert = make_cert(real, "a", NULL, NULL);
    OSSL_PARAM *params = NULL;
    struct why why;

    (void)state;
    start();
    EVP_PKEY *key = tls_provider_key(cert, &why);

    assert_non_null(key);
    assert_int_equal(X509_check_private_key(cert, key), 1);
    assert_int_not_equal(EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params), 1);
    assert_null(params);
    BIO *out = BIO_new(BIO_s_mem());

    assert_int_not_equal(
        PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
    BIO_free(out);
    ERR_clear_error();
    EVP_PKEY_free(key);
    EVP_PKEY_free(real);
    X509_free(cert);
}

/* Other keys are OpenSSL's own business, also with the provider loaded. */
static void
others_are_left_alone(void **state)
{
    EVP_PKEY *real = make_key("EC");
    X509 *cert = make_cert(real, "a", NULL, NULL);

    (void)state;
    start();
    assert_int_equal(X509_verify(cert, X509_get0_pubkey(cert)), 1);
    assert_int_equal(holder.asked, 0);
    EVP_PKEY_free(real);
    X509_free(cert);
}

TESTS(TEST(handshakes), TEST(refusal_ends_the_handshake),
      TEST(nothing_private_comes_out), TEST(others_are_left_alone))
