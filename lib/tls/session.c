#include "tls/session.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/log.h"

/* Room for a session ticket and the first reply behind it. */
#define HELD_MAX 4096

struct tls_session {
    SSL *ssl;
    struct io_carrier under;
    int fd;
    int failed_errno; /* of the carrier underneath, at its last failure */
    bool ended;       /* the carrier underneath has reached its end */
    bool broken;      /* nothing may be sent any more */

    /* While a stream shakes hands; then 0. */
    int64_t until;
    const volatile sig_atomic_t *stop;
    enum io waited; /* what came of waiting for input */

    size_t held_len; /* output that goes with the next */
    char held[HELD_MAX];
};

/* ---- the library's side: a BIO over the carrier */

/* Until there is input, but not longer than the handshake may last. */
static bool
wait_for_input(struct tls_session *t)
{
    for (;;) {
        struct pollfd p = {.fd = t->fd, .events = POLLIN};
        int64_t left = t->until - io_now();

        t->waited = t->stop && *t->stop ? IO_STOPPED
                    : left <= 0         ? IO_TIMEOUT
                                        : IO_OK;
        if (t->waited != IO_OK)
            return false;
        if (poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left) > 0)
            return true;
    }
}

static ssize_t
read_under(struct tls_session *t, char *data, size_t len)
{
    if (t->until && !wait_for_input(t)) {
        errno = EAGAIN;
        return -1;
    }
    return t->under.read(t->under.self, data, len);
}

static int
under_read(BIO *bio, char *data, size_t len, size_t *done)
{
    struct tls_session *t = BIO_get_data(bio);
    ssize_t n = read_under(t, data, len);

    BIO_clear_retry_flags(bio);
    *done = n > 0 ? (size_t)n : 0;
    if (n == 0)
        t->ended = true;
    if (n < 0) {
        t->failed_errno = errno;
        if (errno == EAGAIN || errno == EINTR)
            BIO_set_retry_read(bio);
    }
    return n > 0;
}

/* Nobody waits for a session ticket of TLS 1.3: it goes out with what is said
 * next, which spares both sides a packet. */
static bool
hold(struct tls_session *t, const char *data, size_t len)
{
    if (SSL_get_state(t->ssl) != TLS_ST_SW_SESSION_TICKET ||
        SSL_version(t->ssl) != TLS1_3_VERSION ||
        len > sizeof t->held - t->held_len)
        return false;
    memcpy(t->held + t->held_len, data, len);
    t->held_len += len;
    return true;
}

/* What is held, and as much of the new as goes with it; how much of the new. */
static ssize_t
write_held(struct tls_session *t, const char *data, size_t len)
{
    size_t room = sizeof t->held - t->held_len;
    size_t more = len < room ? len : room;

    memcpy(t->held + t->held_len, data, more);
    for (;;) {
        size_t held = t->held_len;
        ssize_t n = t->under.write(t->under.self, t->held, held + more);

        if (n <= 0)
            return n;
        t->held_len = (size_t)n < held ? held - (size_t)n : 0;
        if ((size_t)n > held)
            return n - (ssize_t)held;
        memmove(t->held, t->held + n, held + more - (size_t)n);
    }
}

static ssize_t
write_under(struct tls_session *t, const char *data, size_t len)
{
    if (hold(t, data, len))
        return (ssize_t)len;
    return t->held_len > 0 ? write_held(t, data, len)
                           : t->under.write(t->under.self, data, len);
}

static int
under_write(BIO *bio, const char *data, size_t len, size_t *done)
{
    struct tls_session *t = BIO_get_data(bio);
    ssize_t n = write_under(t, data, len);

    BIO_clear_retry_flags(bio);
    *done = n > 0 ? (size_t)n : 0;
    if (n < 0) {
        t->failed_errno = errno;
        if (errno == EAGAIN || errno == EINTR)
            BIO_set_retry_write(bio);
    }
    return n > 0;
}

static long
under_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
    (void)num;
    (void)ptr;
    if (cmd == BIO_CTRL_EOF)
        return ((struct tls_session *)BIO_get_data(bio))->ended;
    return cmd == BIO_CTRL_FLUSH;
}

static BIO *
new_bio(struct tls_session *t)
{
    static BIO_METHOD *method; /* one a process, never changed */

    if (method == NULL) {
        method =
            BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
        must(method && BIO_meth_set_read_ex(method, under_read) &&
             BIO_meth_set_write_ex(method, under_write) &&
             BIO_meth_set_ctrl(method, under_ctrl));
    }
    BIO *bio = BIO_new(method);

    must(bio);
    BIO_set_data(bio, t);
    BIO_set_init(bio, 1);
    return bio;
}

static struct tls_session *
session_new(SSL *ssl, struct io_carrier under, int fd)
{
    struct tls_session *t = calloc(1, sizeof *t);

    if (t == NULL)
        log_fatal("out of memory for a TLS session");
    t->ssl = ssl;
    t->under = under;
    t->fd = fd;
    BIO *bio = new_bio(t);

    SSL_set_bio(ssl, bio, bio);
    SSL_set_read_ahead(ssl, 1); /* a record costs one read, not two */
    SSL_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
                          SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return t;
}

SSL *
tls_ssl(const struct tls_session *t)
{
    return t->ssl;
}

const char *
tls_error_text(char text[256])
{
    unsigned long code = ERR_get_error();

    text[0] = '\0';
    if (code)
        ERR_error_string_n(code, text, 256);
    ERR_clear_error();
    return text;
}

/* ---- steps */

static enum tls_step
failed(struct tls_session *t, enum tls_step step, struct why *why)
{
    char text[256];

    t->broken = true;
    if (step == TLS_EOF)
        snprintf(text, sizeof text, "lost connection");
    else if (*tls_error_text(text) == '\0')
        snprintf(text, sizeof text, "%s",
                 strerror(t->failed_errno ? t->failed_errno : EPROTO));
    ERR_clear_error();
    (void)!fail(why, "4.7.5", "%s", text);
    return step;
}

/* Whether the peer ended the connection without a goodbye. */
static bool
is_cut_off(const struct tls_session *t)
{
    if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        return true;
    return ERR_peek_error() == 0 &&
           (t->ended || t->failed_errno == ECONNRESET ||
            t->failed_errno == EPIPE);
}

static enum tls_step
outcome(struct tls_session *t, int result, struct why *why)
{
    if (result > 0)
        return TLS_DONE;
    switch (SSL_get_error(t->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WANT_WRITE;
    case SSL_ERROR_WANT_ASYNC:
    case SSL_ERROR_WANT_ASYNC_JOB:
    case SSL_ERROR_WANT_RETRY_VERIFY:
        return TLS_WANT_KEY;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_EOF;
    default:
        return failed(t, is_cut_off(t) ? TLS_EOF : TLS_FAILED, why);
    }
}

static void
begin(struct tls_session *t)
{
    ERR_clear_error();
    t->failed_errno = 0;
}

enum tls_step
tls_handshake(struct tls_session *t, struct why *why)
{
    begin(t);
    return outcome(t, SSL_do_handshake(t->ssl), why);
}

enum tls_step
tls_read(struct tls_session *t, char *data, size_t len, size_t *done,
         struct why *why)
{
    begin(t);
    *done = 0;
    return outcome(t, SSL_read_ex(t->ssl, data, len, done), why);
}

enum tls_step
tls_write(struct tls_session *t, const char *data, size_t len, size_t *done,
          struct why *why)
{
    begin(t);
    *done = 0;
    return outcome(t, SSL_write_ex(t->ssl, data, len, done), why);
}

void
tls_free(struct tls_session *t)
{
    if (t == NULL)
        return;
    begin(t);
    if (!t->broken && SSL_is_init_finished(t->ssl))
        SSL_shutdown(t->ssl);
    ERR_clear_error();
    SSL_free(t->ssl);
    free(t);
}

/* ---- on a socket of an event loop */

static ssize_t
socket_read(void *self, char *data, size_t len)
{
    return recv(((struct tls_session *)self)->fd, data, len, 0);
}

static ssize_t
socket_write(void *self, const char *data, size_t len)
{
    return send(((struct tls_session *)self)->fd, data, len, MSG_NOSIGNAL);
}

struct tls_session *
tls_new(SSL *ssl, int fd)
{
    struct io_carrier none = {0};
    struct tls_session *t = session_new(ssl, none, fd);

    /* Who has thousands of sessions gives back the buffers of the idle ones. */
    SSL_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
    t->under = (struct io_carrier){
        .read = socket_read, .write = socket_write, .self = t};
    return t;
}

/* ---- under a stream */

/* As read(2) and write(2) would say it. */
static ssize_t
result_of(struct tls_session *t, enum tls_step step, size_t done)
{
    switch (step) {
    case TLS_DONE:
        return (ssize_t)done;
    case TLS_EOF:
        return 0;
    case TLS_WANT_READ:
    case TLS_WANT_WRITE:
        errno = t->failed_errno ? t->failed_errno : EAGAIN;
        return -1;
    default:
        errno = EPROTO;
        return -1;
    }
}

static ssize_t
carry_read(void *self, char *data, size_t len)
{
    size_t done;
    struct why why;
    enum tls_step step = tls_read(self, data, len, &done, &why);

    return result_of(self, step, done);
}

static ssize_t
carry_write(void *self, const char *data, size_t len)
{
    size_t done;
    struct why why;
    struct tls_session *t = self;
    enum tls_step step = tls_write(t, data, len, &done, &why);

    /* Who does not take it in time will not take a goodbye either. */
    if (step == TLS_WANT_WRITE && t->failed_errno != EINTR)
        t->broken = true;
    if (step == TLS_EOF) {
        errno = EPIPE;
        return -1;
    }
    return result_of(t, step, done);
}

static void
carry_close(void *self)
{
    struct tls_session *t = self;
    struct io_carrier under = t->under;

    tls_free(t);
    under.close(under.self);
}

static enum io
shake_hands(struct tls_session *t, struct why *why)
{
    for (;;) {
        switch (tls_handshake(t, why)) {
        case TLS_DONE:
            return IO_OK;
        case TLS_EOF:
            return IO_EOF;
        case TLS_FAILED:
            return IO_BROKEN;
        default:
            break;
        }
        if (t->waited == IO_OK && io_now() < t->until)
            continue; /* interrupted, or slow in taking what we send */
        bool stopped = t->waited == IO_STOPPED;

        (void)!fail(why, "4.7.5", "%s",
                    stopped ? "service is shutting down" : strerror(ETIMEDOUT));
        return stopped ? IO_STOPPED : IO_TIMEOUT;
    }
}

enum io
tls_start(struct stream *s, SSL *ssl, int64_t ms,
          const volatile sig_atomic_t *stop, struct tls_session **session,
          struct why *why)
{
    struct io_carrier under = io_carrier_of(s);
    struct tls_session *t = session_new(ssl, under, io_fd(s));

    *session = NULL;
    io_switch(s, under); /* drops what was read */
    t->until = io_now() + ms;
    t->stop = stop;
    enum io io = shake_hands(t, why);

    t->until = 0;
    if (io != IO_OK) {
        tls_free(t);
        return io;
    }
    io_switch(s, (struct io_carrier){carry_read, carry_write, carry_close, t});
    *session = t;
    return IO_OK;
}
