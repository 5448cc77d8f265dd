/*
 * transport.h - sites and agents: recipients in, outcomes out.
 */
#ifndef QMGR_TRANSPORT_H
#define QMGR_TRANSPORT_H

#include "ipc/message.h"
#include "message.h"
#include "peer.h"

/* How a transport delivers. */
enum transport_way {
    WAY_AGENT,
    WAY_LOCAL, /* an agent that can claim the queue file itself */
    WAY_ERROR, /* inside.h */
    WAY_RETRY,
    WAY_DISCARD,
    WAY_NONE, /* master.cf does not have it */
};

/* The list of rec_transport that master sent. */
void transport_settings(struct str list);

/* The crew of that transport, or NULL. */
struct crew *transport_crew(struct str service);

/* Recipients (rec_rcpt, packed one after the other) wait for their turn, or
 * have an outcome at once. */
void transport_add(struct message *m, struct str rcpts, struct str transport,
                   struct str nexthop);

/* Take back the recipients of m that wait. */
void transport_withdraw(struct message *m);

/* Give work to agents: once a round. */
void transport_run(void);
void transport_crew_run(struct crew *c);

/* No agent can be had (crew.h). */
void transport_missing(struct crew *c, int64_t seconds, struct str text);

/* The site is dead: who waits for it is deferred. */
void transport_suspend(struct dest *d, struct str dsn, struct str text);

struct task;
void transport_free_task(struct task *k);

/* Let agents go that nobody has needed for long. */
void transport_thin(int64_t before);
/* All have old settings. */
void transport_renew(void);

/* Dead sites are tried again: all, or that one (case does not matter). */
void transport_wake(struct str site);

#endif
