/*
 * pickup.h - mail that sendmail(1) left in maildrop/.
 *
 * A file there belongs to the user who sent it (queue/drop.h). Each goes the
 * way of all mail (intake.h); a file that is none is put aside in corrupt/. A
 * message that is refused comes back to its sender as a report, since there is
 * nobody left to tell.
 */
#ifndef SMTPD_PICKUP_H
#define SMTPD_PICKUP_H

#include "daemon/child.h"

#include "intake.h"

struct pickup {
    struct daemon *daemon;
    struct intake intake;
    struct arena *arena; /* one message's */
    char *data;
    int corrupt; /* the folder */
};

void pickup_open(struct pickup *p, struct daemon *d);
void pickup_work(struct pickup *p, struct daemon *d);

#endif
