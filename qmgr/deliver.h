/*
 * deliver.h - giving tasks to agents, and their answers.
 */
#ifndef QMGR_DELIVER_H
#define QMGR_DELIVER_H

#include "dest.h"
#include "peer.h"

/* Give work to idle agents of that transport; ask for more of them. */
void deliver_run(struct transport *t);

/* An agent's answer; false: it does not keep to the protocol. */
bool deliver_done(struct peer *p, struct packet *packet) MUST_USE;

/* An agent is gone, perhaps with work in hand. */
void deliver_lost(struct peer *p);

#endif
