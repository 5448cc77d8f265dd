/*
 * message.h - an active message: loaded, and on its way.
 *
 * A pass over its recipients goes like this: they are loaded, in portions if
 * there are many; retried ones are routed anew; jobs are made of them; their
 * results are written to the file as they come. When the last one is there
 * (message_settle), reports are asked for, and the message is removed or put
 * back on the shelf until its next pass.
 */
#ifndef QMGR_MESSAGE_H
#define QMGR_MESSAGE_H

#include "base/vec.h"
#include "ipc/message.h"
#include "list.h"
#include "mail/envelope.h"
#include "queue/file.h"
#include "shelf.h"

struct transport;

struct message {
    struct entry *entry;
    char id[QUEUE_ID_MAX];
    struct queue_place at;
    int fd, reader;          /* read-write, read-only; -1: not open */
    unsigned flags;          /* ENVELOPE_ bits */
    int64_t arrived, active; /* microseconds */
    int64_t since; /* arrived, or released after that: what its age counts
                      from */
    struct str sender, envid, verp, filter;
    char *text; /* what these are views of */

    size_t nrcpts, todo; /* todo: neither sent nor failed */
    size_t next;         /* recipients from this index on are not loaded */
    size_t loaded;       /* in memory: waiting, or with an agent */
    size_t portion;      /* so many were loaded last */
    unsigned served;     /* batches begun, for the plan */
    struct node tasks;   /* of transport.c */
    size_t busy;         /* deliveries going on */
    unsigned reports;    /* 1 << enum report: there may be something to say */
    unsigned crashes;    /* agents that died over it */
    uint32_t sites;      /* shelf_site bits */
    VEC(char) unsaved;   /* packed results the disk would not take */
    struct timer *again; /* to load or settle: its turn, or the disk failed */

    bool claimable; /* one recipient, and the delivery block names it */
    bool lent;      /* it may be a mailbox's: nothing is written (claim.h) */
    unsigned marks; /* 1 << enum queue_mark: to be written afterwards */
    bool retry;     /* tried before, held or requeued: to be routed anew */
    bool warned;    /* of the delay */
    bool waiting;   /* for routes or a report: not to be settled */
    bool owed;      /* a report could not be written */
    bool missed;    /* recipients were taken back: the pass is not whole */
    bool doomed;    /* deleted: forget it when nothing goes on any more */
    bool hold, requeue; /* wanted by an administrator */
};

/*
 * Load the message of an entry and begin a pass. fd is its file (taken over),
 * or -1 to open it by name. False: it is no message now; what could be done
 * about it has been done, and the entry may be gone.
 */
bool message_begin(struct entry *e, int fd);

/* The same for a file that a producer has just committed; true: it is safe
 * with us, and *e its entry. */
bool message_commit(struct queue_id id, int64_t seal, int fd,
                    struct why *why) MUST_USE;

/* What has become of a recipient. */
struct outcome {
    struct rec_rcpt rcpt;
    struct rec_result result;
};

/* Note it in the file. Settle afterwards. */
void message_results(struct message *m, const struct outcome *list,
                     size_t count);

/* Where nothing goes on any more: load on, report, remove, put back. The
 * message may be gone afterwards. */
void message_settle(struct message *m);

/* The report has been written (or never can be), or not yet. */
void message_reported(struct message *m, int64_t kind, enum rc rc);

/* Its file, open for reading (or also writing); -1 with a log line. */
int message_reader(struct message *m);
int message_writer(struct message *m);
/* Close what is open if many others are too. */
void message_close_surplus(struct message *m);

/* Take back what has not begun and settle as soon as agents are done. The
 * message may be gone afterwards. */
void message_withdraw(struct message *m);

/* Delete the message; agents that have it are not stopped. */
void message_delete(struct message *m);

/* Is there room for one more? */
bool message_room(void);

/* Add a mark to the file; a failure is logged. */
bool message_mark(struct message *m, enum queue_mark mark);

#endif
