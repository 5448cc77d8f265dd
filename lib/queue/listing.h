/*
 * listing.h - the queue as administrators see it (postqueue, mailq): packed by
 * whoever reads the files, unpacked by who shows it.
 *
 * A listing is a row of records: a message, then its recipients that are
 * neither delivered nor given up, then the next message. It can be cut between
 * any two records.
 */
#ifndef QUEUE_LISTING_H
#define QUEUE_LISTING_H

#include "ipc/message.h"
#include "queue/file.h"

enum listing { LISTING_MESSAGE = 1, LISTING_RCPT = 2 };

void listing_message(struct buf *b, struct str id, struct str folder,
                     const struct queue_file *f);

/* Recipients from index `from` on, until b has `most` bytes. The index to go
 * on from; the count of all when none is left. */
size_t listing_rcpts(struct arena *a, struct buf *b, const struct queue_file *f,
                     size_t from, size_t most);

/* Take a record; false at the end and where it is malformed (rest not empty).
 */
struct listing_record {
    enum listing kind;
    struct rec_listed message;
    struct rec_listed_rcpt rcpt;
};
bool listing_next(struct str *rest, struct listing_record *r);

#endif
