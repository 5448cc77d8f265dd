/*
 * claim.h - the queue file becomes the mailbox file (ARCHITECTURE.md,
 * "Claiming"): qmgr's part.
 *
 * While a file is lent it may be a mailbox's at any instant, so nothing is
 * written to it. Its mode tells a later qmgr that it may have lost its footer;
 * the lock, which the agent's descriptor shares, that the agent is at work.
 */
#ifndef QMGR_CLAIM_H
#define QMGR_CLAIM_H

#include "message.h"

/* False: it cannot be lent, only be read. m->fd is what the agent gets. */
bool claim_lend(struct message *m);

enum claim_end {
    CLAIM_BACK,    /* whole again and ours; marks that waited are written */
    CLAIM_MAILBOX, /* it is in the mailbox already */
    CLAIM_FAILED,  /* the disk does not let us: it stays lent, try again */
};

/*
 * A claim that ended without a word or without success. The envelope is
 * written again, for that recipient; without a transport a route is asked for.
 */
enum claim_end claim_end(struct message *m, const struct rec_rcpt *r,
                         struct str transport, struct str nexthop);

#endif
