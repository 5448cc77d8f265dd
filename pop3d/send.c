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

#define PIECE      ((size_t)32768)
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

static char piece[PIECE];

/* ---- headers in ASCII (RFC 6856 2.1) */

/* Up to its empty line; false where that is not there. */
static bool
find_header(struct str bytes, struct str *header)
{
    struct str rest = bytes;
    struct header_field f;

    while (header_scan(&rest, &f))
        ;
    *header = str_sub(bytes, 0, bytes.len - rest.len);
    return rest.len > 0;
}

/* One that is longer than what was read of the file. */
static bool
read_header(struct session *s, int fd, struct str *header)
{
    char *bytes = arena_alloc(s->work, HEADER_MAX);
    size_t len = 0;
    ssize_t got;

    while (len < HEADER_MAX &&
           (got = pread(fd, bytes + len, HEADER_MAX - len, (off_t)len)) > 0)
        len += (size_t)got;
    return find_header((struct str){bytes, len}, header) || len < HEADER_MAX;
}

/* Who has not asked for UTF-8 gets the header in ASCII. `first` is what the
 * file begins with. */
static enum rc
make_ascii(struct session *s, struct sending *n, struct str first,
           struct why *why)
{
    struct buf out = buf_in(s->work);
    struct str header;
    bool all = first.len < PIECE;

    if (all && utf8_is_ascii(first))
        return OK;
    bool whole =
        find_header(first, &header) || all || read_header(s, n->fd, &header);

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

/* ---- sending */

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

/* How much of the text may go before the wanted lines are over. */
static size_t
wanted(struct sending *n, struct str text)
{
    struct str rest = text, line;

    if (n->lines < 0)
        return text.len;
    while (rest.len > 0 && (n->in_header || n->lines > 0)) {
        bool whole = str_cut(&rest, '\n', &line);

        n->line_empty &= line.len == 0 || str_eq(line, S("\r"));
        if (!whole)
            break;
        n->lines -= !n->in_header;
        n->in_header = n->in_header && !n->line_empty;
        n->line_empty = true;
    }
    return text.len - rest.len;
}

static void
finish(struct session *s)
{
    char end[8];
    size_t len = stuff_end(&s->sending->stuff, end);

    conn_put(s->conn, (struct str){end, len});
    send_drop(s);
}

/* As Dovecot counts: from the "+OK" to the end of the text. */
static void
count(struct session *s, size_t sent)
{
    *(s->sending->lines < 0 ? &s->done.retr_size : &s->done.top_size) += sent;
}

/* Another piece; `last`: it is over with that. */
static void
put(struct session *s, struct str text, bool last)
{
    static char out[5 * PIECE + 64];
    struct sending *n = s->sending;
    size_t len = wanted(n, text);

    must(stuff_room(&n->stuff, len) <= sizeof out);
    size_t made = stuff_put(&n->stuff, str_sub(text, 0, len), out);

    conn_put(s->conn, (struct str){out, made});
    count(s, made);
    if (last || len < text.len)
        finish(s);
}

bool
send_begin(struct session *s, struct pop3_message *m, int64_t lines,
           struct why *why)
{
    struct sending *n;
    int fd;

    if (mailbox_file(s->box, m->uid, &fd, why) != OK)
        return false;
    ssize_t got = read(fd, piece, PIECE);
    struct str first = {piece, got > 0 ? (size_t)got : 0};

    n = calloc(1, sizeof *n);
    must(n != NULL);
    *n = (struct sending){
        .fd = fd, .in_header = true, .line_empty = true, .lines = lines};
    stuff_begin(&n->stuff, 0, false);
    s->sending = n;
    enum rc rc = got < 0 ? fail(why, "4.3.0", "cannot read a message: %m") : OK;

    if (rc == OK && lines < 0)
        rc = mailbox_vsize_of(s->box, m->uid, fd, &m->size, why);
    if (rc == OK && !s->utf8)
        rc = make_ascii(s, n, first, why);
    if (rc != OK) {
        send_drop(s);
        return false;
    }
    const char *ok = lines < 0 ? arena_fmt(s->work, "+OK %llu octets",
                                           (unsigned long long)m->size)
                               : "+OK";

    say(s, "%s", ok);
    count(s, strlen(ok) + strlen("\r\n"));
    if (n->head == NULL)
        put(s, first, first.len < PIECE);
    return true;
}

void
send_more(struct session *s)
{
    struct sending *n = s->sending;
    size_t left = n->head_len - n->at;
    struct str text = {n->head + n->at, left < PIECE ? left : PIECE};

    if (left > 0) {
        n->at += text.len;
        put(s, text, false);
        return;
    }
    ssize_t got = read(n->fd, piece, PIECE);

    if (got < 0) {
        /* The client must not take half a message for a whole one. */
        log_warn("pop3(%.*s): cannot read a message: %m",
                 STR(s->pop3->user->user));
        send_drop(s);
        session_end(s, "A message cannot be read");
        return;
    }
    /* A file is over where it gives less than was asked for. */
    put(s, (struct str){piece, (size_t)got}, (size_t)got < PIECE);
}
