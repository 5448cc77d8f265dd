/*
 * The switch to TLS, server's side: the bytes before 0xff were read in the
 * clear, those behind it are all that the client sends in its handshake. What
 * came before must be gone, and nobody gets in without a whole handshake.
 */
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "tls/server.h"

static SSL_CTX *
context(void)
{
    static SSL_CTX *ctx;
    static struct arena *life;
    static const struct tls_server_options options = {
        .protocols = {.least = TLS1_2_VERSION},
        .ciphers = "HIGH",
        .groups = "X25519 prime256v1",
        .dh_file = "",
        .sessions = "fuzz",
        .alpn = "smtp",
    };
    struct tls_server_files *files;
    struct why why;

    if (ctx)
        return ctx;
    signal(SIGPIPE, SIG_IGN);
    life = arena_new("life", 1 << 20);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();

    must(tls_server_read(life, &options, &files, &why) == OK);
    ctx = tls_server_context(&options, files, &why);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_set_pubkey(cert, key);
    must(X509_sign(cert, key, EVP_sha256()));
    must(ctx && SSL_CTX_use_cert_and_key(ctx, cert, key, NULL, 1) == 1);
    X509_free(cert);
    EVP_PKEY_free(key);
    return ctx;
}

static void
send_all(int fd, struct str data)
{
    while (data.len > 0) {
        ssize_t n = send(fd, data.p, data.len, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n <= 0)
            return;
        data = str_sub(data, (size_t)n, data.len);
    }
}

static void
fuzz(struct arena *a, struct str in)
{
    struct str before, seen;
    struct tls_session *t;
    struct why why;
    int ends[2];

    (void)a;
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    str_cut(&in, '\xff', &before);
    struct stream *s = io_open(ends[0]);

    io_set_timeout(s, 1000);
    send_all(ends[1], before);
    if (before.len > 0)
        must(io_peek(s, &seen) == IO_OK);
    send_all(ends[1], in);
    shutdown(ends[1], SHUT_WR);
    must(tls_start(s, tls_server_session(context()), 2000, NULL, &t, &why) !=
         IO_OK);
    must(t == NULL && io_waiting(s) == 0);
    io_close(s);
    close(ends[1]);
}

FUZZ((size_t)1 << 20)
