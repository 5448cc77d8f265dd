/*
 * conn.h - a connection in an event loop.
 *
 * For processes that hold many: bytes come in and are handed over as they
 * stand in the buffer, bytes to send are taken and go out when the peer takes
 * them; nothing ever waits. Buffers exist only while something stands in them,
 * so a connection that is idle costs a few hundred bytes. TLS plugs in
 * underneath with conn_switch, which drops input that was read before it.
 */
#ifndef SYS_CONN_H
#define SYS_CONN_H

#include <stdarg.h>

#include "base/str.h"
#include "sys/loop.h"

/* What a step of a carrier came to. */
enum conn_step {
    CONN_DONE,       /* *done bytes, more than none */
    CONN_WANT_READ,  /* again when the socket has input */
    CONN_WANT_WRITE, /* again when the socket takes output */
    CONN_WANT_CALL,  /* again when conn_again is called */
    CONN_END,        /* the peer has ended, in good order */
    CONN_BROKEN,     /* or not */
};

/* What carries the bytes; self as given. Without it: the socket itself. */
struct conn_carrier {
    enum conn_step (*read)(void *self, char *data, size_t len, size_t *done);
    enum conn_step (*write)(void *self, const char *data, size_t len,
                            size_t *done);
    void (*close)(void *self); /* says goodbye, frees; not the socket */
    void *self;
};

struct conn;

/* Who uses it. Any of these may call conn_free. */
struct conn_user {
    /* More input has come. What is left in the buffer stays; with in_max bytes
     * of it nothing more is read. */
    void (*input)(void *own);
    /* Nothing more will come: the peer has ended (true), or the connection is
     * broken. Called once; output is still sent where the peer takes it. */
    void (*ended)(void *own, bool in_good_order);
    /* All output has been sent; also after conn_finish. May be NULL. */
    void (*sent)(void *own);
};

/* Takes over fd, which must not block. in_max: the most that is kept unread. */
struct conn *conn_new(struct loop *l, int fd, size_t in_max,
                      const struct conn_user *user, void *own);
/* Closes the socket; output that was not sent is lost. */
void conn_free(struct conn *c);
int conn_fd(const struct conn *c);

/* From here on another carries the bytes. Unread input is dropped; output
 * must have been sent. */
void conn_switch(struct conn *c, struct conn_carrier carrier);
/* The carrier said CONN_WANT_CALL, and can go on now. */
void conn_again(struct conn *c);

/* What has come and was not taken; a view until the next call of conn_. */
struct str conn_input(const struct conn *c);
void conn_skip(struct conn *c, size_t len);
/* Bytes that came by another way, as if read before all else. */
void conn_unread(struct conn *c, struct str data);
/* Drop what was read (a switch to TLS is about to begin). */
void conn_drop_input(struct conn *c);

/* Read nothing more until let go: whoever sends faster than he reads waits. */
void conn_hold(struct conn *c, bool on);

/* To be sent. It goes out at the end of the callback, or with conn_flush,
 * which calls nobody: what comes of it is told later. */
void conn_put(struct conn *c, struct str data);
void conn_fmt(struct conn *c, const char *fmt, ...) PRINTF(2, 3);
void conn_vfmt(struct conn *c, const char *fmt, va_list args) PRINTF(2, 0);
void conn_flush(struct conn *c);
/* Bytes that the peer has not taken yet. */
size_t conn_unsent(const struct conn *c);

/* Passwords come this way: memory that held them is wiped. */
void conn_wipe(struct conn *c);

/* Give the socket away: the connection is gone, and the caller owns the
 * descriptor. No output may be unsent. */
int conn_release(struct conn *c);

uint64_t conn_received(const struct conn *c);
uint64_t conn_total_sent(const struct conn *c);

#endif
