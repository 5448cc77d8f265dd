/*
 * inside.h - deliveries without an agent: recipients whose outcome is known.
 */
#ifndef QMGR_INSIDE_H
#define QMGR_INSIDE_H

#include "dest.h"

/* All of these (rec_rcpt, packed) have that outcome; logged. Settle later. */
void inside_all(struct message *m, struct str rcpts, enum rc rc, struct str dsn,
                struct str text);

/* The transports error, retry and discard: the next hop is the text, perhaps
 * with a status code before it. */
void inside_deliver(struct message *m, enum transport_way way, struct str rcpts,
                    struct str nexthop);

/* The site is dead. */
void inside_suspended(struct message *m, const struct dest *d,
                      struct str rcpts);

#endif
