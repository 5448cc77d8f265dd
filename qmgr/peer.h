/*
 * peer.h - the processes at the other end of our links.
 */
#ifndef QMGR_PEER_H
#define QMGR_PEER_H

#include "base/vec.h"
#include "crew.h"
#include "ipc/message.h"
#include "sys/loop.h"

struct dest;
struct message;

/* What an agent is doing. */
struct work {
    struct message *message; /* NULL: nothing */
    struct dest *dest;
    bool retry, claim;
    int64_t handed; /* microseconds */
    size_t count;
    VEC(char) rcpts; /* rec_rcpt, packed */
};

enum peer_kind { PEER_PRODUCER, PEER_AGENT, PEER_RESOLVE, PEER_BOUNCE };

struct peer {
    struct link link;
    enum peer_kind kind; /* all kinds may bring messages, but for RESOLVE */
    struct watch *watch;
    struct crew *crew;   /* NULL: only brings messages */
    struct node in_idle; /* of its crew */
    int64_t idle_since;  /* loop time */
    int64_t uses;
    unsigned round; /* the crew's when it came */
    struct work work;
    void *request;      /* of resolve and bounce workers */
    struct dest *open;  /* an agent has an open session there */
    unsigned streak;    /* deliveries in a row for the sake of it */
    struct node drafts; /* files it is writing */
};

/* A link to a worker of that service, brought by master. Takes over fd. */
void peer_join(struct str service, struct str role, int fd);

/* The peer is gone, erred, or is let go: everything that hangs on it goes the
 * way it goes when a process dies. The peer is freed. */
void peer_close(struct peer *p);

/* Master has no worker of that service. */
void peer_refused(struct str service, struct str text);

#endif
