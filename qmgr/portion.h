/*
 * portion.h - the recipients of a message, a part at a time.
 *
 * Only so many recipients are in memory, of all messages together:
 * qmgr_message_recipient_limit.
 */
#ifndef QMGR_PORTION_H
#define QMGR_PORTION_H

#include "message.h"

/* Send the next ones on their way, from the file as it was just loaded. */
void portion_take(struct message *m, const struct queue_file *f);

/* A recipient with the route that it had. */
void portion_route(struct message *m, const struct rec_rcpt *r,
                   struct str transport, struct str nexthop);

#endif
