/*
 * run.h - which message is next: new ones first, then those that are due.
 *
 * At the start the folders are read in slices, between other work: incoming
 * first, and what it has is delivered at once; of deferred ones only the time
 * of the last change is looked at, from which the next try follows.
 */
#ifndef QMGR_RUN_H
#define QMGR_RUN_H

#include "base/base.h"
#include "shelf.h"

/* found is called when every message in the folders is known. */
void run_start(void (*found)(void));

/* Load messages while there is room: once a round. */
void run_round(void);

/* Something is due earlier, or no longer. */
void run_due_changed(void);

/* Milliseconds to wait after a try, for a message of that age. */
int64_t run_backoff(int64_t age);

/* All deferred ones are due now; or that one. */
void run_flush(void);
void run_flush_one(struct entry *e);
/* Those with recipients there; in slices. */
void run_flush_site(struct str site);

#endif
