/*
 * The message on sendmail's standard input.
 *
 * Programs send CRLF or LF, with or without a last line end, with a "From "
 * line of a mailbox in front, and with a lone dot at the end: all is taken.
 */
#include "sendmail.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "mail/addrlist.h"
#include "mail/header.h"

/* A header that -t has to hold in memory. */
#define HEADER_MAX ((size_t)8 << 20)

struct input {
    char *line; /* getline's */
    size_t room;
    bool dot_is_text, ended;
};

/* The next line with LF as its end; false at the end of the message. */
static bool
next_line(struct input *in, struct str *line)
{
    ssize_t n;

    if (in->ended || (n = getline(&in->line, &in->room, stdin)) < 0)
        return false;
    if (n >= 2 && in->line[n - 2] == '\r' && in->line[n - 1] == '\n') {
        in->line[n - 2] = '\n';
        n--;
    }
    *line = (struct str){in->line, (size_t)n};
    if (!in->dot_is_text &&
        (str_eq(*line, S(".\n")) || str_eq(*line, S(".")))) {
        in->ended = true;
        return false;
    }
    return true;
}

static void
extract(struct sendmail *s, const struct header_field *f)
{
    struct addrlist list = {.rest = f->body};
    struct addrlist_entry e;

    while (addrlist_next(s->life, &list, &e)) {
        if (!e.sound)
            sendmail_fatal("%.*s: \"%.*s\" is no address", STR(f->name),
                           STR(e.spec));
        sendmail_add_rcpt(s, e.addr);
    }
}

/* RFC 5322 3.6.6: where there are Resent- fields, only those count. */
static bool
is_resent(struct str header)
{
    struct header_field f;

    while (header_next(&header, &f))
        if (header_flags(f.id) & HEADER_RESENT &&
            header_flags(f.id) & HEADER_EXTRACT)
            return true;
    return false;
}

/* Take the recipients of -t; the header without the Bcc they stood in. */
static struct str
take_rcpts(struct sendmail *s, struct str header)
{
    struct buf kept = buf_in(s->life);
    unsigned wanted = is_resent(header) ? HEADER_RESENT : 0;
    struct header_field f;
    struct str rest = header;

    while (header_next(&rest, &f)) {
        unsigned flags = header_flags(f.id);
        bool counts =
            flags & HEADER_EXTRACT && (flags & HEADER_RESENT) == wanted;

        if (counts)
            extract(s, &f);
        if (!(counts && flags & HEADER_HIDDEN))
            buf_add(&kept, f.whole);
    }
    buf_add(&kept, rest);
    return buf_str(&kept);
}

/* Is this a line of the header still? */
static bool
in_header(struct str line)
{
    struct header_field f;

    return is_blank(line.p[0]) || header_next(&line, &f);
}

/* The header, and the line behind it in *after; empty at the end. */
static struct str
read_header(struct sendmail *s, struct input *in, struct str *after)
{
    struct buf b = buf_in(s->life);
    struct str line;
    bool first = true;

    *after = S("");
    for (; next_line(in, &line); first = false) {
        if (first && str_starts(line, S("From ")))
            continue;
        if (line.len == 0 || !in_header(line)) {
            *after = line;
            break;
        }
        if (b.len + line.len > HEADER_MAX)
            sendmail_fatal("the message header is over %zu bytes", HEADER_MAX);
        buf_add(&b, line);
    }
    return buf_str(&b);
}

static void
copy_body(struct input *in, struct drop_pipe *pipe, struct str line)
{
    bool more = line.len > 0 || next_line(in, &line);

    while (more) {
        if (!drop_pipe_write(pipe, line))
            return;
        if (line.p[line.len - 1] != '\n')
            drop_pipe_write(pipe, S("\n"));
        more = next_line(in, &line);
    }
}

int
sendmail_submit(struct sendmail *s)
{
    struct input in = {.dot_is_text = s->dot_is_text};
    struct drop_pipe pipe;
    struct str after, header = read_header(s, &in, &after);
    struct buf head = buf_in(s->life);

    if (s->extract)
        header = take_rcpts(s, header);
    if (s->drop.envelope.nrcpts == 0)
        sendmail_fatal("no recipients: name them on the command line, or in "
                       "To, Cc and Bcc with -t");
    signal(SIGPIPE, SIG_IGN);
    drop_pipe_open(s, &pipe);
    drop_put(&head, &s->drop);
    if (drop_pipe_write(&pipe, buf_str(&head)) &&
        drop_pipe_write(&pipe, header)) {
        if (header.len && header.p[header.len - 1] != '\n')
            drop_pipe_write(&pipe, S("\n"));
        copy_body(&in, &pipe, after);
    }
    bool failed = ferror(stdin);

    free(in.line);
    int status = drop_pipe_close(&pipe);

    return failed || status != 0 ? SENDMAIL_TEMPFAIL : 0;
}
