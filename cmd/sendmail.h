/*
 * sendmail.h - the parts of sendmail(1): what was asked for, reading the
 * message, and SMTP on standard input.
 */
#ifndef CMD_SENDMAIL_H
#define CMD_SENDMAIL_H

#include "conf/conf.h"
#include "queue/drop.h"

/* Every error of sendmail is "try again" (sysexits EX_TEMPFAIL): a caller
 * keeps its message then. */
#define SENDMAIL_TEMPFAIL 75

struct sendmail {
    struct arena *life;
    const struct conf *conf;
    const char *config_dir; /* -C, or NULL */
    struct drop drop;       /* envelope as asked for */
    size_t rcpt_room;       /* of drop.envelope.rcpts */
    unsigned notify;        /* -N: of recipients */
    bool extract;           /* -t */
    bool dot_is_text;       /* -i */
};

void sendmail_fatal(const char *fmt, ...) PRINTF(1, 2) NORETURN;

/* Add a recipient in internal form; empty ones are passed over. */
void sendmail_add_rcpt(struct sendmail *s, struct str addr);

/* postdrop(1) at the other end of a pipe. */
struct drop_pipe {
    int pid, fd;
};
void drop_pipe_open(struct sendmail *s, struct drop_pipe *p);
/* False when postdrop is gone. */
bool drop_pipe_write(struct drop_pipe *p, struct str data);
/* Close, and wait: postdrop's exit status; 0 is stored. */
int drop_pipe_close(struct drop_pipe *p);

/* Read the message from standard input and drop it; the exit status. */
int sendmail_submit(struct sendmail *s);

/* -bs: an SMTP session on standard input and output; the exit status. */
int sendmail_smtp(struct sendmail *s);

#endif
