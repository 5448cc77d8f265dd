/*
 * reroute.h - new routes of retried recipients, from a resolve worker.
 *
 * Tables may have changed since a message came, or be slow or down: so a
 * worker looks, and qmgr never waits. If none answers within a while, the
 * route that stands in the file is taken.
 */
#ifndef QMGR_REROUTE_H
#define QMGR_REROUTE_H

#include "ipc/message.h"
#include "message.h"
#include "peer.h"

/* Recipients of one message that are to be asked for. */
struct reroute {
    struct message *message;
    struct buf list; /* rec_rcpt, transport, next hop ... */
    size_t count;
};

struct reroute reroute_begin(struct message *m);
/* With the route to take if nobody answers; it may be empty. */
void reroute_add(struct reroute *r, const struct rec_rcpt *rcpt,
                 struct str transport, struct str nexthop);
/* Ask; the message is `waiting` until then. Nothing if none were added. */
void reroute_ask(struct reroute *r);

void reroute_init(void);
struct crew *reroute_crew(void);

/* A worker's answer; false: it does not keep to the protocol. */
bool reroute_routed(struct peer *p, struct packet *packet) MUST_USE;
/* The worker died over a request. */
void reroute_lost(struct peer *p);
/* The message is to be forgotten: its recipients come back to nobody. */
void reroute_withdraw(struct message *m);

#endif
