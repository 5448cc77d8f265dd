#include "content.h"

#include <errno.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utf8.h"
#include "mail/downgrade.h"
#include "mail/header.h"
#include "mail/stuff.h"
#include "sys/sock.h"

/* What is read and converted at once, and what it may grow to. */
#define PIECE        ((size_t)32768)
#define CHUNK_MARGIN ((size_t)131072)

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
    int64_t size = c->end - c->from + (int64_t)c->block.len;
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

/*
 * The way of a piece: the header is rewritten where tables ask for it, 8 bits
 * become 7 where the server needs it, lines get their SMTP form.
 */
struct sender {
    struct session *session;
    struct rewrite *rewrite;
    struct downgrade *downgrade;
    struct stuff stuff;
    char *out;  /* room for what becomes of a piece, behind len bytes */
    size_t len; /* of the chunk that is being filled */
    content_chunk *chunk; /* NULL: no chunks */
    void *chunk_self;
    enum io io;
};

static void
send_bytes(void *self, struct str bytes)
{
    struct sender *s = self;

    while (bytes.len > 0) {
        struct str piece = str_sub(bytes, 0, PIECE);

        s->len += stuff_put(&s->stuff, piece, s->out + s->len);
        bytes = str_sub(bytes, piece.len, bytes.len);
        if (s->chunk == NULL)
            io_put(s->session->io, (struct str){s->out, s->len});
        else if (s->len < CONTENT_CHUNK_MAX - CHUNK_MARGIN)
            continue;
        else if (s->io == IO_OK)
            s->io =
                s->chunk(s->chunk_self, (struct str){s->out, s->len}, false);
        s->len = 0;
    }
}

static void
convert_bytes(void *self, struct str bytes)
{
    struct sender *s = self;

    if (s->downgrade)
        downgrade_put(s->downgrade, bytes, send_bytes, s);
    else
        send_bytes(s, bytes);
}

static bool
send_piece(void *self, struct str piece)
{
    struct sender *s = self;

    if (s->rewrite)
        rewrite_put(s->rewrite, piece);
    else
        convert_bytes(s, piece);
    if (s->rewrite && rewrite_trouble(s->rewrite))
        return false;

    /* The last piece waits for the dot. */
    if (piece.len == PIECE && s->chunk == NULL)
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

/* Everything but the end. */
static enum io
send_all(struct content *c, struct sender *s)
{
    convert_bytes(s, c->block);

    bool sent = walk(c, send_piece, s);

    if (sent && s->rewrite)
        rewrite_end(s->rewrite);
    if (s->rewrite && rewrite_trouble(s->rewrite)) {
        c->why = *rewrite_trouble(s->rewrite);
        c->unreadable = true;
    }
    if (c->unreadable)
        return IO_BROKEN;
    if (sent && s->downgrade)
        downgrade_end(s->downgrade, send_bytes, s);
    return s->io;
}

static bool
begin(struct content *c, struct sender *s, size_t room)
{
    struct session *session = s->session;

    s->rewrite = c->rewrite;
    stuff_begin(&s->stuff, (size_t)session->settings->line_length_limit,
                s->chunk != NULL);
    if (!prepare(c, s))
        return false;
    s->out = arena_alloc(c->arena, stuff_room(&s->stuff, room));
    if (c->end - c->from > (int64_t)PIECE)
        sock_nodelay(session->fd);
    if (s->rewrite)
        rewrite_begin(s->rewrite, convert_bytes, s);
    return true;
}

enum io
content_send(struct content *c, struct session *session)
{
    struct sender s = {.session = session};
    size_t size = (size_t)(c->end - c->from);
    bool whole =
        size <= PIECE && !c->convert && !c->rewrite && c->block.len == 0;
    char end[8];

    if (!begin(c, &s, whole ? size : PIECE))
        return IO_BROKEN;
    enum io io = send_all(c, &s);

    if (io == IO_OK)
        io_put(session->io, (struct str){end, stuff_end(&s.stuff, end)});
    return io;
}

enum io
content_send_chunks(struct content *c, struct session *session,
                    content_chunk *chunk, void *self)
{
    struct sender s = {.session = session, .chunk = chunk, .chunk_self = self};

    if (!begin(c, &s, CONTENT_CHUNK_MAX))
        return IO_BROKEN;
    enum io io = send_all(c, &s);

    if (io != IO_OK)
        return io;
    s.len += stuff_end(&s.stuff, s.out + s.len);
    return chunk(self, (struct str){s.out, s.len}, true);
}
