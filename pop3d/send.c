/* A message on its way to the client: read, with CRLF line ends and dots. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utf8.h"
#include "mail/header.h"
#include "mail/stuff.h"
#include "mail/surrogate.h"
#include "session.h"

#define PIECE      ((size_t)16384)
#define HEADER_MAX ((size_t)1 << 20)

struct sending {
    int fd;
    char *head; /* goes first, in place of what is before fd's place */
    size_t at, head_len;
    struct stuff stuff;
    bool in_header; /* TOP counts lines behind the empty one */
    bool line_empty;
    int64_t lines; /* of the body that may still go; -1: all */
};

/* The header of the file, up to its empty line; false where there is too much
 * of it. */
static bool
read_header(struct session *s, int fd, struct str *header)
{
    char *bytes = arena_alloc(s->work, HEADER_MAX);
    size_t len = 0;
    ssize_t got;
    struct header_field f;

    while (len < HEADER_MAX &&
           (got = pread(fd, bytes + len, HEADER_MAX - len, (off_t)len)) > 0)
        len += (size_t)got;
    struct str rest = {bytes, len};

    while (header_scan(&rest, &f))
        ;
    *header = (struct str){bytes, len - rest.len};
    return header->len < HEADER_MAX;
}

/* RFC 6856 2.1: who has not asked for UTF-8 gets the header in ASCII. */
static enum rc
make_ascii(struct session *s, struct sending *n, struct why *why)
{
    struct buf out = buf_in(s->work);
    struct str header;
    bool whole = read_header(s, n->fd, &header);

    if (utf8_is_ascii(header))
        return OK;
    if (!whole)
        return fail(why, "5.6.7", "The message needs UTF8");
    surrogate_put(s->work, header, &out);
    n->head = malloc(out.len);
    must(n->head != NULL);
    memcpy(n->head, out.p, out.len);
    n->head_len = out.len;
    if (lseek(n->fd, (off_t)header.len, SEEK_SET) < 0)
        return fail(why, "4.3.0", "cannot read a message: %m");
    return OK;
}

bool
send_begin(struct session *s, uint32_t uid, int64_t lines, struct why *why)
{
    struct sending *n;
    int fd;

    if (mailbox_file(s->box, uid, &fd, why) != OK)
        return false;
    n = calloc(1, sizeof *n);
    must(n != NULL);
    *n = (struct sending){
        .fd = fd, .in_header = true, .line_empty = true, .lines = lines};
    stuff_begin(&n->stuff, 0, false);
    s->sending = n;
    if (s->utf8 || make_ascii(s, n, why) == OK)
        return true;
    send_drop(s);
    return false;
}

void
send_drop(struct session *s)
{
    if (s->sending == NULL)
        return;
    close(s->sending->fd);
    free(s->sending->head);
    free(s->sending);
    s->sending = NULL;
}

/* How much of the piece may go before the wanted lines are over. */
static size_t
wanted(struct sending *n, struct str piece)
{
    if (n->lines < 0)
        return piece.len;
    for (size_t i = 0; i < piece.len; i++) {
        if (!n->in_header && n->lines == 0)
            return i;
        if (piece.p[i] != '\n') {
            n->line_empty = n->line_empty && piece.p[i] == '\r';
            continue;
        }
        if (!n->in_header)
            n->lines--;
        n->in_header = n->in_header && !n->line_empty;
        n->line_empty = true;
    }
    return piece.len;
}

static void
finish(struct session *s)
{
    char end[8];
    size_t len = stuff_end(&s->sending->stuff, end);

    conn_put(s->conn, (struct str){end, len});
    send_drop(s);
}

static ssize_t
next_piece(struct sending *n, char *to, size_t room)
{
    size_t left = n->head_len - n->at;

    if (left == 0)
        return read(n->fd, to, room);
    room = left < room ? left : room;
    memcpy(to, n->head + n->at, room);
    n->at += room;
    return (ssize_t)room;
}

bool
send_more(struct session *s)
{
    static char in[PIECE], out[5 * PIECE + 64];
    struct sending *n = s->sending;
    ssize_t got = next_piece(n, in, sizeof in);

    if (got < 0) {
        /* The client must not take half a message for a whole one. */
        log_warn("pop3(%.*s): cannot read a message: %m",
                 STR(s->pop3->user->user));
        send_drop(s);
        session_end(s);
        return false;
    }
    size_t len = wanted(n, (struct str){in, (size_t)got});

    must(stuff_room(&n->stuff, len) <= sizeof out);
    size_t made = stuff_put(&n->stuff, (struct str){in, len}, out);

    conn_put(s->conn, (struct str){out, made});
    if (got == 0 || len < (size_t)got) {
        finish(s);
        return false;
    }
    return true;
}
