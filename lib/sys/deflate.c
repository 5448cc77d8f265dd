#include "sys/deflate.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#define ZLIB_CONST
#include <zlib.h>

#include "base/log.h"

#define IN_MAX   4096
#define PIECE    16384
#define OUT_MAX  (PIECE + 1024) /* a piece that does not get smaller */
#define LEVEL    3
#define WINDOW   (-13) /* 8 KiB, no header */
#define MEMORY   5
#define ANY_SIZE (-15) /* of the peer's window */

struct deflate {
    int fd;
    z_stream in, out;
    Bytef input[IN_MAX];
    Bytef *pending; /* compressed, to be sent; NULL: nothing */
    size_t from, to;
    size_t taken; /* plain bytes that are in it */
};

static enum conn_step
receive(struct deflate *d)
{
    ssize_t n = recv(d->fd, d->input, sizeof d->input, 0);

    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR
                   ? CONN_WANT_READ
                   : CONN_BROKEN;
    d->in.next_in = d->input;
    d->in.avail_in = (uInt)n;
    return n > 0 ? CONN_DONE : CONN_END;
}

/* inflate may hold output back though it has taken all input, so it is asked
 * first. */
static enum conn_step
read_some(void *self, char *data, size_t len, size_t *done)
{
    struct deflate *d = self;

    for (;;) {
        d->in.next_out = (Bytef *)data;
        d->in.avail_out = (uInt)len;

        int result = inflate(&d->in, Z_SYNC_FLUSH);

        *done = len - d->in.avail_out;
        if (*done > 0)
            return CONN_DONE;
        if (result == Z_STREAM_END)
            return d->in.avail_in > 0 ? CONN_BROKEN : CONN_END;
        if (result != Z_OK && result != Z_BUF_ERROR)
            return CONN_BROKEN;
        if (d->in.avail_in > 0)
            continue;
        enum conn_step step = receive(d);

        if (step != CONN_DONE)
            return step;
    }
}

static void
compress_piece(struct deflate *d, const char *data, size_t len)
{
    d->taken = len < PIECE ? len : PIECE;
    d->pending = malloc(OUT_MAX);
    if (d->pending == NULL)
        log_fatal("out of memory for a connection");
    d->out.next_in = (const void *)data;
    d->out.avail_in = (uInt)d->taken;
    d->out.next_out = d->pending;
    d->out.avail_out = OUT_MAX;
    must(deflate(&d->out, Z_SYNC_FLUSH) == Z_OK && d->out.avail_in == 0 &&
         d->out.avail_out > 0);
    d->from = 0;
    d->to = OUT_MAX - d->out.avail_out;
}

/* Called again with the same bytes until they are all out. */
static enum conn_step
write_some(void *self, const char *data, size_t len, size_t *done)
{
    struct deflate *d = self;

    if (d->pending == NULL)
        compress_piece(d, data, len);
    while (d->from < d->to) {
        ssize_t n =
            send(d->fd, d->pending + d->from, d->to - d->from, MSG_NOSIGNAL);

        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR
                       ? CONN_WANT_WRITE
                       : CONN_BROKEN;
        d->from += (size_t)n;
    }
    free(d->pending);
    d->pending = NULL;
    *done = d->taken;
    return CONN_DONE;
}

static void
end(void *self)
{
    struct deflate *d = self;

    inflateEnd(&d->in);
    deflateEnd(&d->out);
    free(d->pending);
    free(d);
}

struct conn_carrier
deflate_carrier(int fd)
{
    struct deflate *d = calloc(1, sizeof *d);

    if (d == NULL || inflateInit2(&d->in, ANY_SIZE) != Z_OK ||
        deflateInit2(&d->out, LEVEL, Z_DEFLATED, WINDOW, MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        log_fatal("out of memory for a connection");
    d->fd = fd;
    return (struct conn_carrier){read_some, write_some, end, d};
}
