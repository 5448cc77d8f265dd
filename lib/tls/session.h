/*
 * session.h - one TLS session, from its handshake on.
 *
 * It stands on an io_carrier and is one itself, so a stream (sys/io.h) that
 * is switched to it keeps its time limits and its stop flag: waiting is done
 * by whatever is underneath. An event loop puts it on a socket that does not
 * block, and is told what to wait for.
 *
 * Compression and renegotiation are never done. What the peer sends after
 * its "close notify", or without one, is the end of the stream.
 */
#ifndef TLS_SESSION_H
#define TLS_SESSION_H

#include <openssl/types.h>

#include "base/arena.h"
#include "base/why.h"
#include "sys/io.h"

struct tls_session;

/* ---- sequential processes */

/*
 * Shake hands over a stream's carrier, within ms milliseconds altogether, and
 * switch the stream to TLS; io_close then says goodbye and frees the session.
 * The stream's output must have been flushed. Input that was read before is
 * dropped, before the handshake: whoever pipelined it is not answered in TLS.
 * ssl, with its side chosen and all its settings made, belongs to the session
 * whatever the result. stop may be NULL.
 *
 * Not OK: the stream is of no more use but to be closed, and *session is NULL.
 *   IO_EOF     the peer went away: "lost connection"
 *   IO_TIMEOUT "Connection timed out"
 *   IO_STOPPED *stop was set
 *   IO_BROKEN  TLS failed: the library's words, "error:0A000102:SSL routines:
 *              :unsupported protocol"; or the socket did
 * each with why "4.7.5" and that text.
 */
enum io tls_start(struct stream *s, SSL *ssl, int64_t ms,
                  const volatile sig_atomic_t *stop,
                  struct tls_session **session, struct why *why);

/* ---- event loops */

/* What a step came to. */
enum tls_step {
    TLS_DONE,
    TLS_WANT_READ,  /* call again when there is input */
    TLS_WANT_WRITE, /* call again when output can be sent */
    TLS_WANT_KEY,   /* a signature is being made (tls/provider.h): call again
                       when it has come */
    TLS_EOF,        /* the peer has said goodbye, or is gone */
    TLS_FAILED,     /* why: as tls_start says; only tls_free is left */
};

/* On a non-blocking socket, which stays the caller's. ssl as above. */
struct tls_session *tls_new(SSL *ssl, int fd);
enum tls_step tls_handshake(struct tls_session *t, struct why *why);
/* *done is how much; TLS_DONE with *done > 0. After it there may be more
 * that the socket does not tell of: read until TLS_WANT_READ. */
enum tls_step tls_read(struct tls_session *t, char *data, size_t len,
                       size_t *done, struct why *why);
enum tls_step tls_write(struct tls_session *t, const char *data, size_t len,
                        size_t *done, struct why *why);
/* Say goodbye (once; the peer's is not waited for), and free. */
void tls_free(struct tls_session *t);

/* ---- both */

/* To set things before the handshake and to ask for others after it. */
SSL *tls_ssl(const struct tls_session *t);

/* The error queue's oldest entry as text, "" if none; empties the queue. */
const char *tls_error_text(char text[256]);

#endif
