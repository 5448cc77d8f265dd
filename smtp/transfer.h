/*
 * transfer.h - one message through one session: RSET or XFORWARD where they
 * are needed, MAIL, RCPT, DATA, the content, and the replies, in as few round
 * trips as the server allows (PIPELINING, RFC 2920).
 */
#ifndef SMTP_TRANSFER_H
#define SMTP_TRANSFER_H

#include "content.h"
#include "job.h"

enum transfer {
    TRANSFER_DONE,  /* each recipient has heard; the session goes on */
    TRANSFER_LOST,  /* so has each, but the session is dead */
    TRANSFER_STALE, /* an open session did not work any more, nothing was
                       sent, nobody has heard: use a new one */
};

/*
 * One transaction, for as many of those who have not been asked in this
 * session as the server takes at once. `last`: the session is not wanted any
 * more, QUIT may go with the end.
 */
enum transfer transfer_run(struct session *s, struct job *j, struct content *c,
                           bool last);

#endif
