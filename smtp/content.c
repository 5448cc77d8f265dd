#include "content.h"

#include <errno.h>
#include <unistd.h>

#include "base/log.h"
#include "mail/downgrade.h"
#include "mail/header.h"
#include "mail/stuff.h"
#include "mail/utf8.h"
#include "sys/sock.h"

/* What is read and converted at once. */
#define PIECE ((size_t)32768)

/* Up to len bytes from that offset; shorter only where the part ends. */
static bool
read_piece(const struct content *c, int64_t at, char *to, struct str *piece,
           struct why *why)
{
    size_t want = c->end - at < (int64_t)PIECE ? (size_t)(c->end - at) : PIECE;
    size_t got = 0;

    while (got < want) {
        ssize_t n =
            pread(c->fd, to + got, want - got, (off_t)(at + (int64_t)got));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            (void)!fail(why, "4.3.0", "cannot read the message file: %m");
            return false;
        }
        if (n == 0) {
            (void)!fail(why, "4.3.0", "the message file is cut short");
            return false;
        }
        got += (size_t)n;
    }
    *piece = (struct str){to, want};
    return true;
}

bool
content_open(struct content *c, struct why *why)
{
    size_t size = (size_t)(c->end - c->from);

    must(c->end >= c->from);
    return read_piece(c, c->from,
                      arena_alloc(c->arena, size < PIECE ? size : PIECE),
                      &c->first, why);
}

int64_t
content_size(const struct content *c)
{
    int64_t size = c->end - c->from;
    struct str rest = c->first;

    while (str_cut(&rest, '\n', NULL))
        size++;
    return size;
}

bool
content_header_8bit(const struct content *c)
{
    struct str body;

    return !utf8_is_ascii(header_of(c->first, &body));
}

/* Walk over all pieces; false with c->why where the file is unreadable, or
 * where `each` says stop. */
typedef bool each_piece(void *self, struct str piece);

static bool
walk(struct content *c, each_piece *each, void *self)
{
    struct str piece = c->first;
    int64_t at = c->from;
    char *room = NULL;

    for (;;) {
        if (!each(self, piece))
            return false;
        at += (int64_t)piece.len;
        if (at == c->end)
            return true;
        if (room == NULL)
            room = arena_alloc(c->arena, PIECE);
        if (!read_piece(c, at, room, &piece, &c->why)) {
            c->unreadable = true;
            return false;
        }
    }
}

static bool
all_ascii(void *self, struct str piece)
{
    (void)self;
    return utf8_is_ascii(piece);
}

bool
content_any_8bit(struct content *c)
{
    return !walk(c, all_ascii, NULL) && !c->unreadable;
}

struct sender {
    struct session *session;
    struct stuff stuff;
    char *out; /* room for what becomes of a piece */
    struct downgrade *downgrade;
    enum io io;
};

static void
send_bytes(void *self, struct str bytes)
{
    struct sender *s = self;

    while (bytes.len > 0) {
        struct str piece = str_sub(bytes, 0, PIECE);
        size_t len = stuff_put(&s->stuff, piece, s->out);

        io_put(s->session->io, (struct str){s->out, len});
        bytes = str_sub(bytes, piece.len, bytes.len);
    }
}

static bool
send_piece(void *self, struct str piece)
{
    struct sender *s = self;

    if (s->downgrade)
        downgrade_put(s->downgrade, piece, send_bytes, s);
    else
        send_bytes(s, piece);

    /* The last piece waits for the dot. */
    if (piece.len == PIECE)
        s->io = io_flush(s->session->io);
    return s->io == IO_OK;
}

static bool
look(void *self, struct str piece)
{
    downgrade_look(self, piece);
    return true;
}

/* Decide whether and how to convert; false where the file is unreadable. */
static bool
prepare(struct content *c, struct sender *s)
{
    if (!c->convert)
        return true;
    struct downgrade *d = downgrade_new(c->arena);

    if (!walk(c, look, d))
        return false;
    if (downgrade_needed(d))
        s->downgrade = d;
    return true;
}

enum io
content_send(struct content *c, struct session *session)
{
    struct sender s = {.session = session};
    size_t size = (size_t)(c->end - c->from);
    char end[8];

    stuff_begin(&s.stuff, (size_t)session->settings->line_length_limit, false);
    if (!prepare(c, &s))
        return IO_BROKEN;
    /* What conversion makes of a piece comes in pieces of any size. */
    s.out = arena_alloc(
        c->arena,
        stuff_room(&s.stuff, s.downgrade || size > PIECE ? PIECE : size));
    if (size > PIECE)
        sock_nodelay(session->fd);
    if (!walk(c, send_piece, &s))
        return c->unreadable ? IO_BROKEN : s.io;
    if (s.downgrade)
        downgrade_end(s.downgrade, send_bytes, &s);
    io_put(session->io, (struct str){end, stuff_end(&s.stuff, end)});
    return IO_OK;
}
