#include "sys/io.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/sock.h"

#define IN_SIZE  ((size_t)65536)
#define OUT_SIZE ((size_t)16384)

struct stream {
    int fd;
    struct io_carrier carrier;
    const volatile sig_atomic_t *stop;
    int64_t timeout, deadline;
    void (*idle)(void);
    int64_t idle_after;
    int64_t receive_limit; /* as the socket has it */
    uint64_t received, sent;
    enum io out_state; /* first trouble of a write */
    size_t in_from, in_to, out_len;
    size_t in_top, out_top; /* how far the buffers have been used */
    char in[IN_SIZE];
    char out[OUT_SIZE];
};

static ssize_t
plain_read(void *self, char *data, size_t len)
{
    return read(((struct stream *)self)->fd, data, len);
}

static ssize_t
plain_write(void *self, const char *data, size_t len)
{
    return write(((struct stream *)self)->fd, data, len);
}

static void
plain_close(void *self)
{
    (void)self;
}

struct stream *
io_open(int fd)
{
    /* malloc, not calloc: untouched pages of the buffers cost nothing. */
    struct stream *s = malloc(sizeof *s);

    if (s == NULL)
        log_fatal("out of memory for a stream");
    memset(s, 0, offsetof(struct stream, in));
    s->fd = fd;
    s->carrier = (struct io_carrier){plain_read, plain_write, plain_close, s};
    return s;
}

void
io_close(struct stream *s)
{
    if (s == NULL)
        return;
    s->carrier.close(s->carrier.self);
    close(s->fd);
    free(s);
}

int
io_fd(const struct stream *s)
{
    return s->fd;
}

int64_t
io_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* How long the first part of a wait may be: then there is a pause. */
static int64_t
first_limit(const struct stream *s)
{
    bool pause = s->idle && (s->timeout == 0 || s->timeout > s->idle_after);

    return pause ? s->idle_after : s->timeout;
}

static void
limit(const struct stream *s, int which, int64_t ms)
{
    struct timeval t = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    (void)setsockopt(s->fd, SOL_SOCKET, which, &t, sizeof t);
}

static void
limit_receive(struct stream *s, int64_t ms)
{
    if (s->receive_limit != ms)
        limit(s, SO_RCVTIMEO, ms);
    s->receive_limit = ms;
}

void
io_set_timeout(struct stream *s, int64_t ms)
{
    if (s->timeout != ms)
        limit(s, SO_SNDTIMEO, ms);
    s->timeout = ms;
    limit_receive(s, first_limit(s));
}

void
io_set_idle(struct stream *s, int64_t ms, void (*idle)(void))
{
    s->idle = idle;
    s->idle_after = ms;
}

void
io_set_deadline(struct stream *s, int64_t at)
{
    s->deadline = at;
}

void
io_set_stop(struct stream *s, const volatile sig_atomic_t *stop)
{
    s->stop = stop;
}

void
io_switch(struct stream *s, struct io_carrier carrier)
{
    must(s->out_len == 0);
    s->in_from = s->in_to = 0;
    s->carrier = carrier;
}

struct io_carrier
io_carrier_of(const struct stream *s)
{
    return s->carrier;
}

/* What a failed read or write of the carrier means; IO_OK: try again. */
static enum io
trouble(const struct stream *s, bool reading)
{
    if (errno == EINTR)
        return reading && s->stop && *s->stop ? IO_STOPPED : IO_OK;
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return IO_TIMEOUT;
    return errno == EPIPE || errno == ECONNRESET ? IO_EOF : IO_BROKEN;
}

static bool
too_late(const struct stream *s)
{
    return s->deadline && io_now() >= s->deadline;
}

static void
write_out(struct stream *s, struct str data)
{
    size_t done = 0;

    while (s->out_state == IO_OK && done < data.len) {
        ssize_t n =
            s->carrier.write(s->carrier.self, data.p + done, data.len - done);

        if (n > 0)
            done += (size_t)n;
        else
            s->out_state = trouble(s, false);
        if (done < data.len && s->out_state == IO_OK && too_late(s))
            s->out_state = IO_TIMEOUT;
    }
    s->sent += done;
}

enum io
io_flush(struct stream *s)
{
    write_out(s, (struct str){s->out, s->out_len});
    s->out_len = 0;
    return s->out_state;
}

void
io_drop_output(struct stream *s)
{
    s->out_len = 0;
    s->out_state = IO_OK;
}

void
io_put(struct stream *s, struct str data)
{
    while (data.len > 0 && s->out_state == IO_OK) {
        size_t room = OUT_SIZE - s->out_len;
        size_t n = data.len < room ? data.len : room;

        /* What is large goes out from where it stands. */
        if (s->out_len == 0 && data.len >= OUT_SIZE) {
            write_out(s, data);
            return;
        }
        memcpy(s->out + s->out_len, data.p, n);
        s->out_len += n;
        s->out_top = s->out_len > s->out_top ? s->out_len : s->out_top;
        data = str_sub(data, n, data.len);
        if (s->out_len == OUT_SIZE)
            io_flush(s);
    }
}

void
io_fmt(struct stream *s, const char *fmt, ...)
{
    char text[4096];
    va_list args;

    va_start(args, fmt);
    int len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    must(len >= 0);
    if ((size_t)len >= sizeof text)
        len = sizeof text - 1;
    io_put(s, (struct str){text, (size_t)len});
}

/* Wait for more input behind what is there. */
static enum io
fill(struct stream *s)
{
    enum io flushed = io_flush(s);
    bool paused = false;

    if (flushed != IO_OK)
        return flushed;
    if (s->in_from == s->in_to)
        s->in_from = s->in_to = 0;
    if (s->in_to == IN_SIZE) {
        memmove(s->in, s->in + s->in_from, s->in_to - s->in_from);
        s->in_to -= s->in_from;
        s->in_from = 0;
    }
    must(s->in_to < IN_SIZE);
    limit_receive(s, first_limit(s));
    for (;;) {
        if (too_late(s))
            return IO_TIMEOUT;
        if (s->stop && *s->stop)
            return IO_STOPPED;
        ssize_t n = s->carrier.read(s->carrier.self, s->in + s->in_to,
                                    IN_SIZE - s->in_to);

        if (n > 0) {
            s->in_to += (size_t)n;
            s->in_top = s->in_to > s->in_top ? s->in_to : s->in_top;
            s->received += (uint64_t)n;
            return IO_OK;
        }
        enum io what = n == 0 ? IO_EOF : trouble(s, true);

        if (what == IO_TIMEOUT && !paused && first_limit(s) != s->timeout) {
            paused = true;
            s->idle();
            limit_receive(s, s->timeout ? s->timeout - s->idle_after : 0);
        } else if (what != IO_OK) {
            return what;
        }
    }
}

static struct str
input(const struct stream *s)
{
    return (struct str){s->in + s->in_from, s->in_to - s->in_from};
}

/* Drop input up to and with the next LF. */
static enum io
drop_line(struct stream *s)
{
    for (;;) {
        ssize_t lf = str_find(input(s), '\n');

        if (lf >= 0) {
            s->in_from += (size_t)lf + 1;
            return IO_LONG;
        }
        s->in_from = s->in_to;
        enum io got = fill(s);

        if (got != IO_OK)
            return got;
    }
}

enum io
io_line(struct stream *s, size_t max, struct str *line, bool *bare_lf)
{
    size_t seen = 0;

    must(max + 2 < IN_SIZE);
    for (;;) {
        struct str have = input(s);
        ssize_t lf = str_find(str_sub(have, seen, have.len), '\n');

        if (lf >= 0) {
            size_t len = seen + (size_t)lf;
            bool crlf = len > 0 && have.p[len - 1] == '\r';

            s->in_from += len + 1;
            *line = str_sub(have, 0, len - crlf);
            if (bare_lf)
                *bare_lf = !crlf;
            return line->len > max ? IO_LONG : IO_OK;
        }
        if (have.len > max + 1)
            return drop_line(s);
        seen = have.len;
        enum io got = fill(s);

        if (got != IO_OK)
            return got;
    }
}

enum io
io_need(struct stream *s, size_t want, struct str *bytes)
{
    must(want <= IN_SIZE);
    while (s->in_to - s->in_from < want) {
        enum io got = fill(s);

        if (got != IO_OK)
            return got;
    }
    *bytes = input(s);
    return IO_OK;
}

enum io
io_peek(struct stream *s, struct str *bytes)
{
    return io_need(s, 1, bytes);
}

void
io_skip(struct stream *s, size_t len)
{
    must(len <= s->in_to - s->in_from);
    s->in_from += len;
}

size_t
io_waiting(const struct stream *s)
{
    return s->in_to - s->in_from;
}

void
io_wipe(struct stream *s)
{
    explicit_bzero(s->in, s->in_from);
    explicit_bzero(s->in + s->in_to, s->in_top - s->in_to);
    explicit_bzero(s->out + s->out_len, s->out_top - s->out_len);
}

uint64_t
io_received(const struct stream *s)
{
    return s->received;
}

uint64_t
io_sent(const struct stream *s)
{
    return s->sent;
}
