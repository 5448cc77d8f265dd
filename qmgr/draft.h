/*
 * draft.h - queue files that producers are writing: from queue_open to
 * queue_commit. Their names exist, so that the producer's one sync covers
 * them; a draft that is not committed is unlinked.
 */
#ifndef QMGR_DRAFT_H
#define QMGR_DRAFT_H

#include "ipc/message.h"
#include "queue/id.h"

struct peer;

/* Ids begin behind what has been used before. */
void draft_init(void);

/* Messages of a producer. False: it does not keep to the protocol. */
bool draft_open(struct peer *p, struct packet *packet) MUST_USE;
bool draft_commit(struct peer *p, struct packet *packet) MUST_USE;
bool draft_abandon(struct peer *p, struct packet *packet) MUST_USE;

/* The producer is gone. */
void draft_drop_all(struct peer *p);

/* Is that file one that somebody writes, or wrote since we began? */
bool draft_is_ours(struct queue_id id);

#endif
