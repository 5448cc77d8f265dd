/*
 * say.h - qmgr's log lines about messages (shapes: mail/lines.h).
 */
#ifndef QMGR_SAY_H
#define QMGR_SAY_H

#include "message.h"

/* from=<A>, size=N, nrcpt=N (queue active) */
void say_active(const struct message *m);
/* status=expired, returned to sender */
void say_expired(const struct message *m);
/* removed */
void say_removed(const char *id);

/* to=<A>, relay=none, ... status=deferred (TEXT): of a recipient that no agent
 * has seen. */
void say_outcome(const struct message *m, const struct outcome *o);

#endif
