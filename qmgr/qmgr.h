/*
 * qmgr.h - what all parts of the queue manager share.
 *
 * The parts, in the order a message meets them:
 *   peer       links to workers that master brings, and what they say
 *   draft      files that producers are writing
 *   message    an active message, from loading it to removing it
 *   transport  sites, jobs, and giving them to agents (plan has the turns)
 *   claim      files that agents may make mailbox files
 *   inside     error, retry and discard: delivery without an agent
 *   reroute    asks resolve workers for new routes of retried recipients
 *   report     asks bounce workers to write to senders
 *   run        start-up, fresh and due messages (shelf knows them all)
 *   tool       answers administrators
 */
#ifndef QMGR_QMGR_H
#define QMGR_QMGR_H

#include "base/hash.h"
#include "daemon/child.h"
#include "shelf.h"
#include "sys/loop.h"

struct qmgr {
    struct daemon *daemon;
    const struct conf *conf;
    struct loop *loop;
    int dir; /* queue_directory */
    struct shelf *shelf;
    struct arena *scratch;   /* emptied after each handler */
    struct hash *transports; /* struct transport, by name */
    size_t rcpts;            /* recipients in memory */
    size_t busy;             /* deliveries going on */
    size_t files;            /* descriptors of active messages */
    size_t files_max;
    bool started;  /* master has sent its settings */
    bool stopping; /* SIGTERM: nothing new is begun */
};

extern struct qmgr qmgr;

/* Microseconds since 1970, and the same in milliseconds. */
int64_t now_us(void);
int64_t now_ms(void);

#endif
