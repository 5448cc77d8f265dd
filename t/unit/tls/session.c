#include "tls/session.h"

#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls/facts.h"
#include "tls/server.h"
#include "unit/test.h"
#include "unit/tls/peers.h"

/* Both sides in one process, by steps: a client and a server. */
struct pair {
    struct tls_session *client, *server;
    int fds[2];
    struct arena *a;
};

static SSL_CTX *
server_context(struct tls_server_options *o, const char *type)
{
    struct tls_server_files *files;
    struct arena *a = arena_new("test", 1 << 20);
    struct why why;
    EVP_PKEY *key = make_key(type);
    X509 *cert = make_cert(key, "mail.example.org", NULL, NULL);

    assert_int_equal(tls_server_read(a, o, &files, &why), OK);
    SSL_CTX *ctx = tls_server_context(o, files, &why);

    assert_non_null(ctx);
    assert_int_equal(SSL_CTX_use_cert_and_key(ctx, cert, key, NULL, 1), 1);
    EVP_PKEY_free(key);
    X509_free(cert);
    arena_free(a);
    return ctx;
}

static struct tls_server_options
usual(void)
{
    return (struct tls_server_options){
        .protocols = {.least = TLS1_2_VERSION},
        .ciphers = "HIGH",
        .groups = "X25519",
        .dh_file = "",
        .sessions = "test",
        .alpn = "smtp",
        .ca_file = "",
        .ca_path = "",
    };
}

static struct pair
open_pair(SSL_CTX *server, int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    struct pair p = {.a = arena_new("test", 1 << 20)};

    SSL_CTX_set_max_proto_version(ctx, version);
    SSL *ssl = SSL_new(ctx);

    SSL_CTX_free(ctx);
    SSL_set_connect_state(ssl);
    assert_int_equal(socketpair(AF_UNIX,
                                SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                                p.fds),
                     0);
    p.client = tls_new(ssl, p.fds[0]);
    p.server = tls_new(tls_server_session(server), p.fds[1]);
    return p;
}

static void
close_pair(struct pair *p)
{
    tls_free(p->client);
    tls_free(p->server);
    close(p->fds[0]);
    close(p->fds[1]);
    arena_free(p->a);
}

/* Do both have it? */
static bool
shake_hands(struct pair *p, struct why *why)
{
    enum tls_step client = TLS_WANT_READ, server = TLS_WANT_READ;

    for (int i = 0; i < 10; i++) {
        if (client != TLS_DONE)
            client = tls_handshake(p->client, why);
        if (server != TLS_DONE && server != TLS_FAILED)
            server = tls_handshake(p->server, why);
        if (client == TLS_DONE && server == TLS_DONE)
            return true;
        if (client == TLS_FAILED || server == TLS_FAILED)
            return false;
    }
    return false;
}

static void
steps(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    (void)state;
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct tls_server_options o = usual();
        SSL_CTX *ctx = server_context(&o, "EC");
        struct pair p = open_pair(ctx, versions[i]);
        struct why why;
        char data[100];
        size_t n;

        assert_true(shake_hands(&p, &why));
        assert_int_equal(tls_read(p.server, data, sizeof data, &n, &why),
                         TLS_WANT_READ);
        assert_int_equal(tls_write(p.client, "hello", 5, &n, &why), TLS_DONE);
        assert_int_equal(n, 5);
        assert_int_equal(tls_read(p.server, data, sizeof data, &n, &why),
                         TLS_DONE);
        assert_str(((struct str){data, n}), S("hello"));
        tls_free(p.client);
        p.client = NULL;
        assert_int_equal(tls_read(p.server, data, sizeof data, &n, &why),
                         TLS_EOF);
        close_pair(&p);
        SSL_CTX_free(ctx);
    }
}

/* Both sides come to the same bindings, and to others each time. */
static void
bindings(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    unsigned char last[TLS_BINDING_MAX] = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct tls_server_options o = usual();
        SSL_CTX *ctx = server_context(&o, "RSA");
        struct pair p = open_pair(ctx, versions[i]);
        unsigned char one[TLS_BINDING_MAX], other[TLS_BINDING_MAX];
        struct why why;

        assert_true(shake_hands(&p, &why));
        assert_int_equal(tls_binding(p.client, TLS_EXPORTER, one), 32);
        assert_int_equal(tls_binding(p.server, TLS_EXPORTER, other), 32);
        assert_memory_equal(one, other, 32);
        assert_memory_not_equal(one, last, 32);
        memcpy(last, one, 32);
        assert_int_equal(tls_binding(p.client, TLS_SERVER_END_POINT, one), 32);
        assert_int_equal(tls_binding(p.server, TLS_SERVER_END_POINT, other),
                         32);
        assert_memory_equal(one, other, 32);
        close_pair(&p);
        SSL_CTX_free(ctx);
    }
}

static void
facts(void **state)
{
    struct tls_server_options o = usual();
    SSL_CTX *ctx = server_context(&o, "EC");
    struct pair p = open_pair(ctx, TLS1_3_VERSION);
    struct tls_facts f;
    struct why why;

    (void)state;
    assert_true(shake_hands(&p, &why));
    tls_facts_learn(p.server, "sha256", p.a, &f);
    assert_string_equal(
        tls_facts_line(p.a, &f, "from", "x[192.0.2.1]"),
        "Anonymous TLS connection established from x[192.0.2.1]: TLSv1.3 with "
        "cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 "
        "server-signature ECDSA (prime256v1) server-digest SHA256");
    tls_facts_learn(p.client, "sha256", p.a, &f);
    assert_true(f.has_cert);
    assert_false(f.trusted);
    assert_string_equal(f.peer_cn, "mail.example.org");
    assert_int_equal(strlen(f.cert_print), 95);
    assert_null(tls_cert_print(
        p.a, SSL_get0_peer_certificate(tls_ssl(p.client)), "wombat"));
    close_pair(&p);
    SSL_CTX_free(ctx);
}

/* A list of protocols as RFC 7301 has it. */
static void
protocols_that_are_asked_for(void **state)
{
    static const struct {
        struct str list;
        bool good;
    } cases[] = {
        {S("\4smtp"),        true },
        {S("\2h2\4smtp"),    true },
        {S("\2h2"),          false},
        {S("\10http/1.1"),   false},
        {S("\4smt\0\4smtq"), false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tls_server_options o = usual();
        SSL_CTX *ctx = server_context(&o, "EC");
        struct pair p = open_pair(ctx, TLS1_3_VERSION);
        struct why why;

        SSL_set_alpn_protos(tls_ssl(p.client),
                            (const unsigned char *)cases[i].list.p,
                            (unsigned)cases[i].list.len);
        assert_int_equal(shake_hands(&p, &why), cases[i].good);
        close_pair(&p);
        SSL_CTX_free(ctx);
    }
}

/* The time is for the handshake as a whole, and what came before is gone. */
static void
time_is_limited(void **state)
{
    struct tls_server_options o = usual();
    SSL_CTX *ctx = server_context(&o, "EC");
    volatile sig_atomic_t stop = 0;
    struct tls_session *t;
    struct str seen;
    struct why why;
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct stream *s = io_open(fds[0]);

    io_set_timeout(s, 60000);
    assert_int_equal(write(fds[1], "MAIL FROM:<>\r\n", 14), 14);
    assert_int_equal(io_peek(s, &seen), IO_OK);
    assert_int_equal(tls_start(s, tls_server_session(ctx), 50, &stop, &t, &why),
                     IO_TIMEOUT);
    assert_string_equal(why.text, "Connection timed out");
    assert_int_equal(io_waiting(s), 0);
    stop = 1;
    assert_int_equal(
        tls_start(s, tls_server_session(ctx), 60000, &stop, &t, &why),
        IO_STOPPED);
    stop = 0;
    close(fds[1]);
    assert_int_equal(
        tls_start(s, tls_server_session(ctx), 60000, &stop, &t, &why), IO_EOF);
    assert_string_equal(why.text, "lost connection");
    io_close(s);
    SSL_CTX_free(ctx);
}

TESTS(TEST(steps), TEST(bindings), TEST(facts),
      TEST(protocols_that_are_asked_for), TEST(time_is_limited))
