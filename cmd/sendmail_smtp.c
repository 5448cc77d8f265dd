/*
 * sendmail -bs: SMTP on standard input and output, for programs that would
 * rather speak it than write a message. What comes in goes into maildrop/ as
 * any message of that user's does, so nothing here decides who may send what
 * to whom: recipients that cannot be reached come back as reports.
 */
#include "sendmail.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "mail/command.h"
#include "mail/enddata.h"
#include "mail/smtp.h"
#include "sys/io.h"

#define OFFERED                                                                \
    (SMTP_PIPELINING | SMTP_SIZE | SMTP_EIGHT_BIT | SMTP_ENHANCED | SMTP_DSN | \
     SMTP_UTF8)
#define LINE_LIMIT 2048
#define RCPT_LIMIT 1000

enum state { NEW = 1, READY = 2, MAIL = 4, RCPT = 8, END = 16 };

struct talk {
    struct sendmail *s;
    struct stream *io;
    enum state state;
    struct str default_sender;
};

static ssize_t
standard_read(void *self, char *data, size_t len)
{
    (void)self;
    return read(0, data, len);
}

static ssize_t
standard_write(void *self, const char *data, size_t len)
{
    (void)self;
    return write(1, data, len);
}

static void
standard_close(void *self)
{
    (void)self;
}

static enum state
say(struct talk *t, enum state next, const char *reply)
{
    io_fmt(t->io, "%s\r\n", reply);
    return next;
}

/* HELO, EHLO, RSET: as if nothing had been said of a message. */
static void
forget_message(struct talk *t)
{
    struct envelope *e = &t->s->drop.envelope;

    e->nrcpts = 0;
    e->envid = S("");
    e->flags = 0;
    e->sender = t->default_sender;
}

static enum state
do_helo(struct talk *t, struct str arg)
{
    if (arg.len == 0)
        return say(t, t->state, "501 Syntax: HELO hostname");
    forget_message(t);
    io_fmt(t->io, "250 %s\r\n", t->s->conf->myhostname);
    return READY;
}

static enum state
do_ehlo(struct talk *t, struct str arg)
{
    if (arg.len == 0)
        return say(t, t->state, "501 Syntax: EHLO hostname");
    forget_message(t);
    io_fmt(t->io,
           "250-%s\r\n250-PIPELINING\r\n250-SIZE %lld\r\n"
           "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n"
           "250 SMTPUTF8\r\n",
           t->s->conf->myhostname, (long long)t->s->conf->message_size_limit);
    return READY;
}

static enum state
do_mail(struct talk *t, struct str arg)
{
    struct mail_args m;
    const char *refused = command_mail(t->s->life, arg, OFFERED, false, &m);
    int64_t limit = t->s->conf->message_size_limit;
    struct envelope *e = &t->s->drop.envelope;

    if (refused)
        return say(t, t->state, refused);
    if (limit > 0 && m.with.size > (uint64_t)limit)
        return say(t, t->state, "552 5.3.4 Message size exceeds fixed limit");
    e->sender = arena_str(t->s->life, m.sender);
    e->envid = m.with.envid;
    e->flags = m.with.flags;
    return say(t, MAIL, "250 2.1.0 Ok");
}

static enum state
do_rcpt(struct talk *t, struct str arg)
{
    struct rcpt_args r;
    bool utf8 = t->s->drop.envelope.flags & ENVELOPE_UTF8;
    const char *refused =
        command_rcpt(t->s->life, arg, OFFERED, false, utf8, &r);

    if (refused)
        return say(t, t->state, refused);
    if (t->s->drop.envelope.nrcpts >= RCPT_LIMIT)
        return say(t, t->state, "452 4.5.3 Error: too many recipients");
    t->s->notify = r.with.notify;
    sendmail_add_rcpt(t->s, r.addr);
    return say(t, RCPT, "250 2.1.5 Ok");
}

/* Content until its end; false where the client goes away before. */
static bool
copy_content(struct talk *t, struct drop_pipe *pipe)
{
    static char out[65536 + 4];
    struct enddata scan;
    struct str in;
    size_t len;

    enddata_begin(&scan, 0);
    while (!scan.ended) {
        if (io_peek(t->io, &in) != IO_OK)
            return false;
        io_skip(t->io, enddata_scan(&scan, in, out, &len));
        drop_pipe_write(pipe, (struct str){out, len});
    }
    return true;
}

static enum state
do_data(struct talk *t, struct str arg)
{
    struct buf head = buf_in(t->s->life);
    struct drop_pipe pipe;

    if (arg.len)
        return say(t, t->state, "501 5.5.4 Syntax: DATA");
    say(t, t->state, "354 End data with <CR><LF>.<CR><LF>");
    drop_pipe_open(t->s, &pipe);
    drop_put(&head, &t->s->drop);
    drop_pipe_write(&pipe, buf_str(&head));
    if (!copy_content(t, &pipe)) {
        /* Half a message is none: postdrop must not see an end. */
        kill(pipe.pid, SIGTERM);
        drop_pipe_close(&pipe);
        return END;
    }
    int status = drop_pipe_close(&pipe);

    forget_message(t);
    return say(t, READY,
               status == 0 ? "250 2.0.0 Ok: queued"
                           : "451 4.3.0 Error: queue file write "
                             "error");
}

static enum state
do_rset(struct talk *t, struct str arg)
{
    (void)arg;
    forget_message(t);
    return say(t, t->state == NEW ? NEW : READY, "250 2.0.0 Ok");
}

static enum state
do_noop(struct talk *t, struct str arg)
{
    (void)arg;
    return say(t, t->state, "250 2.0.0 Ok");
}

static enum state
do_vrfy(struct talk *t, struct str arg)
{
    (void)arg;
    return say(t, t->state, "252 2.0.0 Send the message and see");
}

static enum state
do_quit(struct talk *t, struct str arg)
{
    (void)arg;
    return say(t, END, "221 2.0.0 Bye");
}

static const struct verb {
    const char *name;
    unsigned when;
    enum state (*run)(struct talk *t, struct str arg);
    const char *too_early;
} verbs[] = {
    {"HELO", NEW | READY | MAIL | RCPT, do_helo, ""                                    },
    {"EHLO", NEW | READY | MAIL | RCPT, do_ehlo, ""                                    },
    {"MAIL", NEW | READY,               do_mail, "503 5.5.1 Error: nested MAIL command"},
    {"RCPT", MAIL | RCPT,               do_rcpt, "503 5.5.1 Error: need MAIL command"  },
    {"DATA", RCPT,                      do_data, "503 5.5.1 Error: need RCPT command"  },
    {"RSET", NEW | READY | MAIL | RCPT, do_rset, ""                                    },
    {"NOOP", NEW | READY | MAIL | RCPT, do_noop, ""                                    },
    {"VRFY", NEW | READY | MAIL | RCPT, do_vrfy, ""                                    },
    {"QUIT", NEW | READY | MAIL | RCPT, do_quit, ""                                    },
};

static enum state
command(struct talk *t, struct str line)
{
    struct str verb, args;

    command_cut(line, &verb, &args);
    for (size_t i = 0; i < COUNT(verbs); i++) {
        if (!str_ieq(verb, str_from(verbs[i].name)))
            continue;
        if (!(t->state & verbs[i].when))
            return say(t, t->state, verbs[i].too_early);
        return verbs[i].run(t, args);
    }
    return say(t, t->state, "502 5.5.2 Error: command not recognized");
}

int
sendmail_smtp(struct sendmail *s)
{
    struct talk t = {.s = s,
                     .io = io_open(0),
                     .state = NEW,
                     .default_sender = s->drop.envelope.sender};
    struct str line;

    signal(SIGPIPE, SIG_IGN);
    io_switch(t.io, (struct io_carrier){standard_read, standard_write,
                                        standard_close, NULL});
    io_fmt(t.io, "220 %s ESMTP %s\r\n", s->conf->myhostname,
           s->conf->mail_name);
    while (t.state != END) {
        enum io got = io_line(t.io, LINE_LIMIT, &line, NULL);

        if (got == IO_LONG)
            say(&t, t.state, "500 5.5.2 Error: line too long");
        else if (got == IO_OK)
            t.state = command(&t, line);
        else
            break;
    }
    io_flush(t.io);
    return t.state == END ? 0 : SENDMAIL_TEMPFAIL;
}
