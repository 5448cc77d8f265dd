/*
 * intake.h - the one way in for every message, from smtpd and pickup: a queue
 * file is opened, recipients are rewritten, expanded and routed, the header
 * is checked and completed on its way into the file, and qmgr gets it.
 *
 *   message_new, message_sender
 *   message_add      once for each accepted recipient
 *   message_open     waits for qmgr's answer
 *   message_field    what we put before the content
 *   message_put ...
 *   message_finish   OK: it is on disk, and qmgr's
 *   message_drop
 *
 * Trouble with content (too large, refused by header_checks, disk full) is
 * kept; message_put goes on taking bytes, and message_finish says it.
 */
#ifndef SMTPD_INTAKE_H
#define SMTPD_INTAKE_H

#include "base/hash.h"
#include "conf/conf.h"
#include "ipc/message.h"
#include "mail/header_filter.h"
#include "queue/writer.h"
#include "route/route.h"

struct filter;

/* receive_override_options */
enum {
    OVERRIDE_UNKNOWN = 1,  /* no_unknown_recipient_checks */
    OVERRIDE_MAPPINGS = 2, /* no_address_mappings */
    OVERRIDE_CHECKS = 4,   /* no_header_body_checks */
    OVERRIDE_MILTERS = 8,  /* no_milters */
};

/* One a process. */
struct intake {
    const struct conf *conf;
    struct router *router;
    const struct link *qmgr;
    struct packet *packet;
    struct filter *filter; /* header_checks and kin; NULL: none */
    struct hash *dropped;  /* message_drop_headers, in lower case */
    unsigned override;     /* OVERRIDE_ bits */
    struct arena *scratch; /* one look-up's */
    bool broken;           /* the link to qmgr is: end after this session */
};

/* Opens what it needs (in `prepare`: tables); ends the process if it can't.
 * The link is set in the worker. */
void intake_open(struct intake *in, struct arena *life, const struct conf *conf,
                 struct router *router);

struct words {
    struct str text;
    struct words *next;
};

/* Append a copy to such a list. */
void words_add(struct words **list, struct arena *a, struct str text);

/* What access tables, policy servers and header_checks want done. */
struct actions {
    bool hold, discard;
    struct str filter, redirect; /* empty: none */
    struct words *bcc, *prepend; /* in order */
};

/* Who looks at the header of a message on its way through: each field, then
 * the end. Anything but OK: the message is refused, why says so. */
struct header_watch {
    enum rc (*field)(void *self, const struct header_field *f, struct why *why);
    enum rc (*end)(void *self, struct why *why);
};

struct message {
    struct intake *in;
    struct arena *a;
    struct envelope env; /* flags, envid, verp and origin are the caller's */
    struct str id;       /* empty until message_open */
    struct actions actions;
    int64_t announced;    /* how large it is said to be; 0: nothing is said */
    struct str client;    /* "name[addr]" or "local", for the log */
    struct str first;     /* a recipient as given, for the log */
    bool local;           /* header: addresses are completed and mapped, and
                             what is missing is added */
    struct str full_name; /* for a From that is made up */
    const struct header_watch *watch; /* NULL: nobody */
    void *watcher;
    bool unchecked; /* no size limit and header checks: it only goes
                       back */

    /* private */
    enum { QUEUE_NONE, QUEUE_ASKED, QUEUE_OPEN } queue;
    int fd;
    struct queue_writer *out;
    struct hash *seen; /* final recipients */
    size_t room;       /* of env.rcpts */
    struct header_filter header;
    struct filtering *filtering;
    struct buf front; /* what is held until the delivery block is known */
    struct buf lead;  /* the very first bytes, if they were too few */
    bool led;         /* they have been looked at */
    bool begun, settled, applied;
    bool verbatim; /* why.text is the site's own */
    enum rc rc;
    struct why why;
    int64_t size; /* of the content, LF line ends */
};

/* A new message in the arena; nothing is asked of anybody yet. */
struct message *message_new(struct intake *in, struct arena *a);

/* The sender, complete; canonical tables and masquerading act here. */
enum rc message_sender(struct message *m, struct str sender,
                       struct why *why) MUST_USE;

/* A recipient: addr is complete, orig as it was given. It is rewritten,
 * copied (recipient_bcc_maps), expanded, routed; whom the message goes to
 * already is not added again. */
enum rc message_add(struct message *m, const struct rcpt *given,
                    struct why *why) MUST_USE;

/* A recipient is not to get it after all: one that is in m->env.rcpts. */
void message_take_back(struct message *m, struct str addr);

/* Ask qmgr for a file, and go on working until message_open. */
void message_ask(struct message *m);

/* Wait for the file; m->id is known from then on. */
enum rc message_open(struct message *m, struct why *why) MUST_USE;

/* Our own header fields, each with its LF, before any content. */
void message_field(struct message *m, struct str field);

/* Content as it comes, LF line ends, pieces of any size. */
void message_put(struct message *m, struct str content);
/* The first trouble so far. */
enum rc message_trouble(const struct message *m, struct why *why);

/*
 * End of content: store and commit. Anything but OK: it is not stored. A
 * message that is to be discarded is OK, and gone.
 */
enum rc message_finish(struct message *m, struct why *why) MUST_USE;

/* Give up, or let go after finish; then the arena may be reset. */
void message_drop(struct message *m);

/* fields.c: what happens to the header on its way through. */
void fields_begin(struct message *m);

/* For fields.c and filter.c: what is to be stored; trouble. */
void message_write(struct message *m, struct str text);
void message_fail(struct message *m, enum rc rc, const struct why *why);
/* Do header_checks and kin look at it? */
bool message_filtered(const struct message *m);
/* The header is over, or too large to wait for: recipients are final unless
 * body_checks are to come. */
void message_settle(struct message *m);

/*
 * filter.c: header_checks, mime_header_checks, nested_header_checks and
 * body_checks (header_checks(5)).
 */
struct filter *filter_open(struct arena *life, const struct conf *conf);
/* NULL: keep the field; else what stands in its place, perhaps nothing, until
 * the next call. */
const struct str *filter_field(struct message *m, const struct header_field *f);
/* Body text on its way out, in pieces; goes on with message_write. */
void filter_body(struct message *m, struct str text);
void filter_body_end(struct message *m);
bool filter_has_body(const struct filter *f);

#endif
