/*
 * produce.h - a program of ours sends a message: open, write, finish.
 *
 *     struct produce p = {.qmgr = &d->qmgr, .packet = packet};
 *     produce_open(&p, a, size, &why);
 *     queue_put_delivery_block(p.out, ...), queue_put(p.out, ...)
 *     produce_finish(&p, &envelope, &why)        stored, and qmgr's
 *
 * For programs that ask one thing at a time (bounce, local). Whatever goes
 * wrong, produce_drop afterwards is right; after OK of finish it does nothing.
 */
#ifndef DAEMON_PRODUCE_H
#define DAEMON_PRODUCE_H

#include "ipc/message.h"
#include "queue/writer.h"

struct produce {
    const struct link *qmgr;
    struct packet *packet; /* room for answers: what it held is gone then */
    char id[40];           /* queue id, from produce_open on */
    int fd;
    bool open;
    struct queue_writer *out;
};

/* Get a queue file for a message of about that size. TEMP where the queue is
 * full or qmgr has gone. The writer lives in the arena. */
enum rc produce_open(struct produce *p, struct arena *a, int64_t size,
                     struct why *why) MUST_USE;

/* Write the envelope, sync, and hand it to qmgr. */
enum rc produce_finish(struct produce *p, const struct envelope *e,
                       struct why *why) MUST_USE;

/* Give up a message that was not finished. */
void produce_drop(struct produce *p);

#endif
