/*
 * io.h - a stream that hands over whole units.
 *
 * For processes that serve one session at a time: reads block, with a time
 * limit; writes collect and go out when the reader is about to wait
 * (pipelined commands are answered in one packet) or at io_flush. TLS plugs
 * in underneath with io_switch, which drops input that was read before the
 * switch, so nothing sent in the clear can pass for encrypted.
 */
#ifndef SYS_IO_H
#define SYS_IO_H

#include <signal.h>

#include "base/arena.h"
#include "base/str.h"

enum io {
    IO_OK,
    IO_EOF,     /* the peer closed */
    IO_TIMEOUT, /* nothing came in time, or not all of it */
    IO_LONG,    /* the line is over the limit; what came of it is dropped */
    IO_STOPPED, /* *stop was set while waiting */
    IO_BROKEN,  /* any other trouble of the socket */
};

/* What carries the bytes. Results as of read(2) and write(2). */
struct io_carrier {
    ssize_t (*read)(void *self, char *data, size_t len);
    ssize_t (*write)(void *self, const char *data, size_t len);
    void (*close)(void *self); /* says goodbye; does not close the socket */
    void *self;
};

struct stream;

/* A stream over a connected socket, which io_close closes. */
struct stream *io_open(int fd);
void io_close(struct stream *s);
int io_fd(const struct stream *s);

/* How long one wait may last (also sets the socket's own limits), and when,
 * on the clock of io_now, everything ends; 0 is never. */
void io_set_timeout(struct stream *s, int64_t ms);
void io_set_deadline(struct stream *s, int64_t at);
/* Milliseconds of the monotonic clock. */
int64_t io_now(void);

/* Call `idle` once in a wait for input that has lasted `ms`: time for what can
 * wait for a pause. Set before io_set_timeout; costs no call while input
 * comes. */
void io_set_idle(struct stream *s, int64_t ms, void (*idle)(void));

/* A flag that a signal handler sets; a wait for input then ends. */
void io_set_stop(struct stream *s, const volatile sig_atomic_t *stop);

/* Change what carries the bytes; unread input is dropped. Pending output
 * must have been flushed. */
void io_switch(struct stream *s, struct io_carrier carrier);
/* What carries them now: for one that is to stand on top of it. */
struct io_carrier io_carrier_of(const struct stream *s);

/*
 * One line without its line end (LF, or CRLF). A view of the stream's own
 * buffer, valid until the next read call. Longer than max: IO_LONG, and the
 * stream stands behind that line. *bare_lf tells of a line end without CR
 * (may be NULL).
 */
enum io io_line(struct stream *s, size_t max, struct str *line, bool *bare_lf);

/*
 * Whatever has arrived, at least one byte, as a view; io_skip takes bytes off
 * its front. For content: the caller scans, copies out and skips.
 */
enum io io_peek(struct stream *s, struct str *bytes);
/* At least `want` bytes (up to 64 KiB), unless the stream ends first. */
enum io io_need(struct stream *s, size_t want, struct str *bytes);
void io_skip(struct stream *s, size_t len);
/* Input that has been received and not been taken. */
size_t io_waiting(const struct stream *s);

/* Write, collecting. Errors show at the next flush or read. */
void io_put(struct stream *s, struct str data);
void io_fmt(struct stream *s, const char *fmt, ...) PRINTF(2, 3);
enum io io_flush(struct stream *s);
/* After trouble with writing: forget it, so that what the peer said before it
 * closed can still be read. */
void io_drop_output(struct stream *s);

/* Overwrite what the stream still has of input that was taken and of output
 * that went out: for secrets. */
void io_wipe(struct stream *s);

/* Bytes received and sent so far. */
uint64_t io_received(const struct stream *s);
uint64_t io_sent(const struct stream *s);

#endif
