/*
 * expand.h - all the destinations of one recipient: aliases, .forward files
 * and :include: files followed to their ends. Nothing is delivered here.
 *
 * Where an address in an alias, a list or a .forward file is one of this
 * machine's users, he gets the message as a new one (a forward), so that each
 * recipient has a status of his own. Delivered at once, with this message,
 * are: the recipient himself, the one address of an alias that has just one,
 * whoever forwards to himself, and files and commands.
 */
#ifndef LOCAL_EXPAND_H
#define LOCAL_EXPAND_H

#include "local.h"

enum target_kind {
    TARGET_MAILBOX, /* text is the path; a Maildir ends in "/" */
    TARGET_FILE,    /* the same, named by somebody */
    TARGET_COMMAND, /* text is the command */
    TARGET_FORWARD, /* text is the address; transport where it is fixed */
    TARGET_PASS,    /* the recipient as he is, to `transport` */
    TARGET_DISCARD, /* nobody, without complaint */
    TARGET_FAIL,    /* why */
};

struct target {
    enum target_kind kind;
    struct str text;
    struct who who;               /* who is delivered to */
    const struct account *user;   /* of a mailbox or its command */
    const struct account *rights; /* of a file or command; NULL: default_privs
                                   */
    struct str sender;            /* of a forward */
    struct str delivered;         /* Delivered-To */
    struct str transport;         /* "transport:nexthop" */
    bool list;                    /* a mailing list's: it has an owner-alias */
    struct why *why;
};

struct targets {
    struct target *at;
    size_t count, room;
};

/* At least one target; several may be the same. */
void expand_recipient(struct job *j, const struct rec_rcpt *rcpt,
                      struct targets *targets);

/* Where a user's mail goes that nothing directs elsewhere; NUL at the end. */
struct str expand_mailbox(struct job *j, const struct account *user);

#endif
