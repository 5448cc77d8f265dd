/* A message on its way to the client: read, with CRLF line ends and dots. */
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "mail/stuff.h"
#include "session.h"

#define PIECE ((size_t)16384)

struct sending {
    int fd;
    struct stuff stuff;
    bool in_header; /* TOP counts lines behind the empty one */
    bool line_empty;
    int64_t lines; /* of the body that may still go; -1: all */
};

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
    return true;
}

void
send_drop(struct session *s)
{
    if (s->sending == NULL)
        return;
    close(s->sending->fd);
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

bool
send_more(struct session *s)
{
    static char in[PIECE], out[5 * PIECE + 64];
    struct sending *n = s->sending;
    ssize_t got = read(n->fd, in, sizeof in);

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
