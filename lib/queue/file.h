/*
 * file.h - loading a message from its queue file (format.h).
 *
 * There is one way to do it, for a fresh message, after a restart and for
 * tools: read its file. Adding to it: journal.h.
 */
#ifndef QUEUE_FILE_H
#define QUEUE_FILE_H

#include "base/arena.h"
#include "base/why.h"
#include "mail/envelope.h"

/* Recipients of one message, and bytes of one text of its envelope. Producers
 * bound theirs long before; a file that has more is refused as malformed. */
#define QUEUE_RCPTS_MAX 1000000
#define QUEUE_TEXT_MAX  4096

/* Where things stand in the file, all that appending needs. */
struct queue_place {
    int64_t seal;
    int64_t start;    /* of the content: agents skip the delivery block */
    int64_t stop;     /* end of the content */
    int64_t previous; /* newest footer; 0: none yet */
    int64_t end;      /* where the next block goes */
    bool torn;        /* garbage stands behind the end */
};

/* What is known of a recipient. */
enum queue_state {
    QUEUE_TODO,     /* never tried, or routed anew */
    QUEUE_DEFERRED, /* tried, will be tried again */
    QUEUE_SENT,     /* delivered, or on its way under another name */
    QUEUE_FAILED,   /* never to be tried again */
};

enum queue_mark {
    QUEUE_HOLD = 1,
    QUEUE_RELEASE,
    QUEUE_REQUEUE, /* route all anew, try at once */
    QUEUE_FORCE,   /* postsuper -e: give up at the next chance */
    QUEUE_EXPIRED, /* whoever is not done is FAILED, by his last result */
    QUEUE_WARNED,  /* the sender knows of the delay */
    QUEUE_REPORTED_FAILURE, /* reports have been written of what FAILED, */
    QUEUE_REPORTED_SUCCESS, /* or was SENT, up to here */
    QUEUE_MARKS
};

struct queue_file {
    struct queue_place at;
    struct envelope envelope; /* rcpts is NULL: walk them with queue_next */
    bool claimable;           /* the delivery block names the one recipient */
    bool held, forced, warned;
    bool anew;          /* requeued, or was held: its routes may be old */
    int64_t tried;      /* newest attempt in microseconds, 0: none */
    struct str *blocks; /* envelope and events, the newest first */
    size_t nblocks;
    unsigned char *state; /* of each recipient: enum queue_state, QUEUE_ bits */
    size_t todo;          /* recipients that are TODO or DEFERRED */
    struct str rcpts;     /* packed recipients */
};

/* In state, beside the enum: the failure report has been written; that of
 * success (or of all, where the sender asked for it). */
#define QUEUE_REPORTED 0x10
#define QUEUE_TRACED   0x20

static inline enum queue_state
queue_state_of(const struct queue_file *f, size_t index)
{
    return (enum queue_state)(f->state[index] & 0x0f);
}

enum queue_found {
    QUEUE_WHOLE,
    QUEUE_UNFINISHED, /* no footer: never acknowledged, or claimed */
    QUEUE_DAMAGED,    /* was whole once */
    QUEUE_UNREADABLE, /* an I/O error, now */
};

/*
 * Load the file behind fd. With seal 0 only the very end of the file is
 * believed, for those whom qmgr handed it. All views belong to the arena.
 * Unless QUEUE_WHOLE, why says what is wrong.
 */
enum queue_found queue_load(struct arena *a, int fd, int64_t seal,
                            struct queue_file *f, struct why *why) MUST_USE;

/* Walk the recipients in order: the first has index 0. */
struct queue_cursor {
    struct str rest;
    size_t next; /* index of the recipient that comes next */
    struct str transport, nexthop;
};
struct queue_cursor queue_rcpts(const struct queue_file *f);
bool queue_next(struct queue_cursor *c, struct rcpt *r);

/* The outcome of an attempt for one recipient (dsn.h has the meanings). */
struct queue_result {
    int64_t index;
    int64_t when; /* microseconds; filled by queue_results */
    enum queue_state state;
    int64_t action; /* enum action of ipc/message.h */
    struct str dsn, text;
    struct str relay, remote, reply;
    struct str done; /* of a deferred one: how far his agent got */
};

/*
 * The newest result of each recipient, an array by index; text and dsn are
 * empty of those who were never tried. Views of f.
 */
struct queue_result *queue_results(struct arena *a, const struct queue_file *f);

/* Which recipients a report is about: kind is an enum report of message.h. */
bool queue_reports(const struct queue_file *f, size_t index,
                   const struct rcpt *r, const struct queue_result *result,
                   int64_t kind);

/*
 * The envelope that the delivery block of a claimed file tells: sender and
 * one recipient, without a route. False if there is no such block.
 */
bool queue_read_delivery_block(struct arena *a, int fd, struct queue_place *at,
                               struct envelope *e) MUST_USE;

#endif
