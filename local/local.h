/*
 * local.h - what the parts of this program share: its settings, and the
 * message that is being delivered.
 *
 * The program has four roles: local (aliases, .forward files, mailboxes and
 * commands of this machine's users), virtual (mailboxes that tables name), pipe
 * (a command for everything), and quota, which delivers nothing and says
 * whether a mailbox has room. One worker delivers one message at a time.
 *
 * A recipient is first followed to all its destinations (expand.h), then
 * each destination is served (target.h). What failed for now is tried again
 * later, and only that: the queue keeps the marks of destinations that are
 * done (message.def, `done`).
 */
#ifndef LOCAL_LOCAL_H
#define LOCAL_LOCAL_H

#include "account.h"
#include "daemon/child.h"
#include "ipc/message.h"
#include "map/map.h"
#include "queue/file.h"
#include "route/route.h"
#include "store/mbox.h"
#include "who.h"

/* Where a destination was named, as bits: allow_mail_to_commands. */
enum origin_bit {
    FROM_RECIPIENT = 0,
    FROM_ALIAS = 1,
    FROM_FORWARD = 2,
    FROM_INCLUDE = 4,
};

/* prepend_delivered_header */
enum { HEADER_COMMAND = 1, HEADER_FILE = 2, HEADER_FORWARD = 4 };

struct alias_table {
    struct map *map;
    const char *name;
};

struct settings {
    struct alias_table *aliases; /* naliases of them, in order of search */
    size_t naliases;
    struct maps *mailbox_commands, *mailbox_transports, *fallback_transports;
    struct maps *virtual_mailboxes, *virtual_uids, *virtual_gids;
    struct router *router;
    unsigned commands_from, files_from; /* FROM_ bits */
    unsigned keep_extension;            /* the same */
    unsigned header_in;                 /* HEADER_ bits */
    struct priv_user default_user;      /* default_privs */
    uid_t queue_owner;                  /* whose the queue is: mail_owner */
    gid_t queue_group;
    struct lock_policy lock;         /* of mailbox files of this role */
    int64_t size_limit;              /* of them; 0: none */
    bool fs;                         /* mail_location: folders in folders */
    char **environment;              /* export_environment */
    const struct pipe_service *pipe; /* role pipe */
};

/* The message at hand. */
struct job {
    struct daemon *d;
    const struct conf *conf;
    const struct settings *set;
    struct arena *arena; /* as long as the message is at hand */
    struct msg_deliver msg;
    size_t nrcpts;
    int64_t handed;             /* microseconds since 1970 */
    struct str front;           /* the file's first bytes, header and all */
    struct str header;          /* of the content */
    struct queue_file *file;    /* the envelope, once somebody asked for it */
    struct hash *seen;          /* destinations served for this message */
    const struct priv_user *as; /* whose rights we have; NULL: our own */
    bool given;                 /* the queue file belongs to its recipient */
    bool claimed;               /* it has lost its footer */
};

#define JOB_MEMORY ((size_t)512 << 20)

/* Take up a request; the packet's views stay in use until job_free. NULL if it
 * is malformed. */
struct job *job_new(struct daemon *d, struct arena *a, struct packet *p);
void job_free(struct job *j);

/* Is it a question only (address verification, sendmail -bv)? */
bool job_is_probe(const struct job *j);

/* Have the rights of that user, or again our own. Lazy: cheap if nothing
 * changes. TEMP where that user may not be become. */
enum rc job_become(struct job *j, const struct priv_user *user,
                   struct why *why) MUST_USE;
void job_return(struct job *j);

/* account_find, with our own rights where the user database is asked. */
enum rc job_find_user(struct job *j, struct str name,
                      const struct account **user, struct why *why) MUST_USE;

/* The envelope, read once from the queue file. */
enum rc job_envelope(struct job *j, const struct envelope **e,
                     struct why *why) MUST_USE;

/* The content, with "Return-Path: ..." and the other lines in front that
 * mailboxes have; `delivered` may be empty (no Delivered-To). */
struct store_message job_content(struct job *j, const struct rec_rcpt *rcpt,
                                 struct str delivered);

/* LFs from that offset of the queue file to the end of the content; -1 where it
 * cannot be read. */
off_t job_lines(const struct job *j, off_t from);

/* The From_ line of mailboxes and commands. */
struct str job_from_line(struct job *j, struct str null_sender);

/* Does the header say that it has been delivered to that address? */
bool job_was_delivered_to(const struct job *j, struct str addr);

/* Log one line of what became of a recipient. `to` may be an address that an
 * alias named; orig_to is then the recipient's. */
void job_log(struct job *j, const struct rec_rcpt *rcpt, struct str to,
             enum rc rc, const struct why *why);

/* What qmgr is told; texts are copied to the job's memory, and cut where a
 * packet would be too small for those of all recipients. */
void job_result(struct job *j, const struct rec_rcpt *rcpt, enum rc rc,
                const struct why *why, struct rec_result *result);

/* The text and code of an outcome that is no failure. */
void job_say(struct why *why, const char *dsn, const char *fmt, ...)
    PRINTF(3, 4);

#endif
