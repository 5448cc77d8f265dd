#include "sys/conn.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

#define CHUNK ((size_t)16384) /* read at once; one record of TLS */
#define TURNS 16              /* chunks a call, then others have their turn */

/* Bytes from..to of p; no memory while there are none. */
struct bytes {
    char *p;
    size_t from, to, cap;
    bool secret;
};

struct conn {
    struct loop *loop;
    struct watch *watch;
    struct conn_user user;
    void *own;
    struct conn_carrier carrier; /* .read NULL: the socket itself */
    size_t in_max;
    struct bytes in, out;
    uint64_t received, sent;
    enum conn_step reading, writing; /* what each waits for */
    unsigned events;                 /* as the loop has them */
    int fd;
    unsigned depth; /* of our callbacks */
    bool held, ended, told, broken, freed, unsent;
};

/* ---- buffers */

static size_t
length(const struct bytes *b)
{
    return b->to - b->from;
}

static void
release(struct bytes *b)
{
    if (b->secret && b->p)
        explicit_bzero(b->p, b->cap);
    free(b->p);
    *b = (struct bytes){.secret = b->secret};
}

static void
enlarge(struct bytes *b, size_t n)
{
    size_t cap = b->cap ? b->cap : 512;
    char *p;

    while (cap - b->to < n)
        cap *= 2;
    p = malloc(cap);
    if (p == NULL)
        log_fatal("out of memory for a connection");
    if (b->p) {
        memcpy(p, b->p, b->to);
        if (b->secret)
            explicit_bzero(b->p, b->cap);
        free(b->p);
    }
    b->p = p;
    b->cap = cap;
}

static char *
space(struct bytes *b, size_t n)
{
    if (b->from > 0 && b->cap - b->to < n) {
        memmove(b->p, b->p + b->from, length(b));
        b->to -= b->from;
        b->from = 0;
    }
    if (b->cap - b->to < n)
        enlarge(b, n);
    return b->p + b->to;
}

static void
take(struct bytes *b, size_t n)
{
    must(n <= length(b));
    b->from += n;
    if (b->from == b->to)
        release(b);
}

/* ---- the socket as a carrier */

static enum conn_step
trouble(enum conn_step want)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return want;
    return CONN_BROKEN;
}

static enum conn_step
read_some(struct conn *c, char *data, size_t len, size_t *done)
{
    if (c->carrier.read)
        return c->carrier.read(c->carrier.self, data, len, done);
    ssize_t n = recv(c->fd, data, len, 0);

    if (n < 0)
        return trouble(CONN_WANT_READ);
    *done = (size_t)n;
    return n > 0 ? CONN_DONE : CONN_END;
}

static enum conn_step
write_some(struct conn *c, const char *data, size_t len, size_t *done)
{
    if (c->carrier.write)
        return c->carrier.write(c->carrier.self, data, len, done);
    ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);

    if (n < 0)
        return trouble(CONN_WANT_WRITE);
    *done = (size_t)n;
    return CONN_DONE;
}

/* ---- life */

static void
destroy(struct conn *c)
{
    release(&c->in);
    release(&c->out);
    free(c);
}

static void
detach(struct conn *c)
{
    loop_unwatch(c->watch);
    c->watch = NULL;
    if (c->carrier.close)
        c->carrier.close(c->carrier.self);
    c->carrier = (struct conn_carrier){0};
    c->freed = true;
}

/* Callbacks may free the connection under our feet: its memory stays until
 * the outermost of our functions is left. */
static void
enter(struct conn *c)
{
    c->depth++;
}

/* False: it is gone. */
static bool
leave(struct conn *c)
{
    bool freed = c->freed;

    if (--c->depth == 0 && freed)
        destroy(c);
    return !freed;
}

void
conn_free(struct conn *c)
{
    if (c == NULL || c->freed)
        return;
    detach(c);
    close(c->fd);
    if (c->depth == 0)
        destroy(c);
}

int
conn_release(struct conn *c)
{
    int fd = c->fd;

    must(length(&c->out) == 0 && !c->freed);
    detach(c);
    if (c->depth == 0)
        destroy(c);
    return fd;
}

/* ---- what to wait for */

static bool
may_read(const struct conn *c)
{
    return !c->held && !c->ended && length(&c->in) < c->in_max;
}

static unsigned
wanted(const struct conn *c)
{
    unsigned events = 0;

    /* A carrier may hold bytes that the socket does not tell of: a socket that
     * takes output brings us back at once. */
    if (may_read(c) && c->carrier.read && c->reading == CONN_DONE)
        events |= LOOP_READ | LOOP_WRITE;
    else if (may_read(c))
        events |= c->reading == CONN_WANT_WRITE  ? LOOP_WRITE
                  : c->reading == CONN_WANT_CALL ? 0u
                                                 : LOOP_READ;
    if (length(&c->out) > 0 && !c->broken)
        events |= c->writing == CONN_WANT_READ   ? LOOP_READ
                  : c->writing == CONN_WANT_CALL ? 0u
                                                 : LOOP_WRITE;
    /* What is still to be told is told from the loop. */
    if ((c->unsent && length(&c->out) == 0) || (c->broken && !c->told))
        events |= LOOP_WRITE;
    return events;
}

static void socket_ready(void *self, unsigned events);

static void
arrange(struct conn *c)
{
    unsigned events = wanted(c);

    if (c->watch == NULL && events != 0)
        c->watch = loop_watch(c->loop, c->fd, events, socket_ready, c);
    else if (c->watch != NULL && events != c->events)
        loop_change(c->watch, events);
    c->events = events;
}

/* Told of something though nothing was asked for: the peer has hung up. What
 * it has sent before is still read, when somebody wants it; until then the
 * loop would tell us again and again. */
static void
hung_up(struct conn *c)
{
    char byte;

    if (recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0) {
        c->broken = true;
        return;
    }
    loop_unwatch(c->watch);
    c->watch = NULL;
}

/* ---- moving bytes */

static void
send_out(struct conn *c)
{
    while (length(&c->out) > 0 && !c->broken) {
        size_t done = 0;
        enum conn_step step =
            write_some(c, c->out.p + c->out.from, length(&c->out), &done);

        c->writing = step;
        if (step != CONN_DONE) {
            c->broken = step == CONN_BROKEN || step == CONN_END;
            break;
        }
        c->sent += done;
        take(&c->out, done);
    }
    if (c->broken)
        take(&c->out, length(&c->out));
}

static void
tell_sent(struct conn *c)
{
    if (!c->unsent || c->freed || length(&c->out) > 0)
        return;
    c->unsent = false;
    if (c->user.sent && !c->broken)
        c->user.sent(c->own);
}

static void
tell_end(struct conn *c)
{
    if (c->told || c->freed || !(c->ended || c->broken))
        return;
    c->told = true;
    c->ended = true;
    c->user.ended(c->own, !c->broken);
}

/* Output collects while callbacks run, so that answers to pipelined commands
 * leave in one piece. */
static void
settle(struct conn *c)
{
    if (c->freed)
        return;
    send_out(c);
    tell_sent(c);
    if (!c->freed)
        send_out(c);
    tell_end(c);
    if (!c->freed)
        arrange(c);
}

/* True: something has come. */
static bool
read_chunk(struct conn *c)
{
    size_t room = c->in_max - length(&c->in), done = 0;
    size_t len = room < CHUNK ? room : CHUNK;
    enum conn_step step = read_some(c, space(&c->in, len), len, &done);

    c->reading = step;
    if (step == CONN_DONE) {
        c->received += done;
        c->in.to += done;
        if (c->carrier.read == NULL && done < len)
            c->reading = CONN_WANT_READ; /* the socket is empty */
        return true;
    }
    c->ended = step == CONN_END || step == CONN_BROKEN;
    c->broken = c->broken || step == CONN_BROKEN;
    if (length(&c->in) == 0)
        take(&c->in, 0);
    return false;
}

static void
read_in(struct conn *c)
{
    for (int turn = 0; turn < TURNS && !c->freed && may_read(c); turn++) {
        if (!read_chunk(c))
            return;
        bool more = c->reading == CONN_DONE;

        c->user.input(c->own);
        if (!more)
            return;
    }
}

static void
socket_ready(void *self, unsigned events)
{
    struct conn *c = self;

    enter(c);
    if (events != 0 && c->events == 0)
        hung_up(c);
    send_out(c);
    read_in(c);
    settle(c);
    (void)leave(c);
}

struct conn *
conn_new(struct loop *l, int fd, size_t in_max, const struct conn_user *user,
         void *own)
{
    struct conn *c = calloc(1, sizeof *c);

    if (c == NULL)
        log_fatal("out of memory for a connection");
    *c = (struct conn){.loop = l,
                       .fd = fd,
                       .user = *user,
                       .own = own,
                       .in_max = in_max,
                       .reading = CONN_WANT_READ,
                       .writing = CONN_DONE,
                       .events = LOOP_READ};
    c->watch = loop_watch(l, fd, LOOP_READ, socket_ready, c);
    return c;
}

void
conn_wipe(struct conn *c)
{
    c->in.secret = c->out.secret = true;
}

int
conn_fd(const struct conn *c)
{
    return c->fd;
}

void
conn_switch(struct conn *c, struct conn_carrier carrier)
{
    must(length(&c->out) == 0);
    if (c->carrier.close)
        c->carrier.close(c->carrier.self);
    conn_drop_input(c);
    c->carrier = carrier;
    c->reading = CONN_WANT_READ;
    c->writing = CONN_DONE;
    arrange(c);
}

void
conn_again(struct conn *c)
{
    if (c->reading == CONN_WANT_CALL)
        c->reading = CONN_WANT_READ;
    if (c->writing == CONN_WANT_CALL)
        c->writing = CONN_DONE;
    socket_ready(c, 0);
}

struct str
conn_input(const struct conn *c)
{
    return (struct str){c->in.p ? c->in.p + c->in.from : "", length(&c->in)};
}

void
conn_skip(struct conn *c, size_t len)
{
    take(&c->in, len);
    if (c->depth == 0)
        arrange(c);
}

void
conn_unread(struct conn *c, struct str data)
{
    size_t there = length(&c->in);

    if (data.len == 0)
        return;
    memcpy(space(&c->in, data.len), data.p, data.len);
    memmove(c->in.p + c->in.from + data.len, c->in.p + c->in.from, there);
    memcpy(c->in.p + c->in.from, data.p, data.len);
    c->in.to += data.len;
}

void
conn_drop_input(struct conn *c)
{
    take(&c->in, length(&c->in));
}

void
conn_hold(struct conn *c, bool on)
{
    c->held = on;
    if (c->depth == 0)
        arrange(c);
}

void
conn_put(struct conn *c, struct str data)
{
    if (c->broken || data.len == 0)
        return;
    memcpy(space(&c->out, data.len), data.p, data.len);
    c->out.to += data.len;
    c->unsent = true;
    if (c->depth == 0)
        arrange(c);
}

void
conn_vfmt(struct conn *c, const char *fmt, va_list args)
{
    va_list again;

    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);

    must(len >= 0);
    if (!c->broken) {
        vsnprintf(space(&c->out, (size_t)len + 1), (size_t)len + 1, fmt, again);
        c->out.to += (size_t)len;
        c->unsent = c->unsent || len > 0;
    }
    va_end(again);
    if (c->depth == 0)
        arrange(c);
}

void
conn_fmt(struct conn *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    conn_vfmt(c, fmt, args);
    va_end(args);
}

void
conn_flush(struct conn *c)
{
    if (c->depth > 0)
        return; /* it goes out when the callback has ended */
    send_out(c);
    arrange(c);
}

size_t
conn_unsent(const struct conn *c)
{
    return length(&c->out);
}

uint64_t
conn_received(const struct conn *c)
{
    return c->received;
}

uint64_t
conn_total_sent(const struct conn *c)
{
    return c->sent;
}
