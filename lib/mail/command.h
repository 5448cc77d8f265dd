/*
 * command.h - SMTP commands as a server reads them (RFC 5321 4.1, and the
 * parameters of RFC 1870, 3461, 6152, 6531).
 *
 * Pure: bytes in, values or a complete reply out. A parser returns NULL where
 * the command is right, else the reply to give ("501 5.5.4 ..."), in the
 * arena or static. Values are views of the line or live in the arena.
 */
#ifndef MAIL_COMMAND_H
#define MAIL_COMMAND_H

#include "mail/envelope.h"
#include "mail/path.h"

/* Cut the verb off the front of a line; *args is what follows its blanks,
 * without blanks at the end. The verb is empty where the line is. */
void command_cut(struct str line, struct str *verb, struct str *args);

/* What was announced, and so may be used, beside PATH_ bits. */
enum {
    COMMAND_SIZE = 1 << 8,
    COMMAND_8BIT = 1 << 9,
    COMMAND_DSN = 1 << 10,
    COMMAND_UTF8 = 1 << 11,
    COMMAND_VERP = 1 << 12,
};

struct mail_args {
    struct str sender;
    uint64_t size;  /* SIZE=, 0 where not given */
    unsigned flags; /* ENVELOPE_ bits of BODY, RET and SMTPUTF8 */
    struct str envid;
    struct str verp;   /* two delimiters; empty: XVERP was not given */
    bool default_verp; /* XVERP without delimiters */
};

/* "FROM:<path> parameters". Allowed: COMMAND_ and PATH_ bits. */
const char *command_mail(struct arena *a, struct str args, unsigned allowed,
                         struct mail_args *m);

struct rcpt_args {
    struct str addr;
    struct str orcpt; /* decoded: "rfc822;user@example.org" */
    unsigned notify;  /* NOTIFY_ bits */
};

/* "TO:<path> parameters". An address that is not ASCII needs COMMAND_UTF8 in
 * `allowed`, which the caller gives only where MAIL said SMTPUTF8. */
const char *command_rcpt(struct arena *a, struct str args, unsigned allowed,
                         struct rcpt_args *r);

/* The pieces of DSN parameters, also for sendmail -N, -V and header fields.
 * NOTIFY: "NEVER" or a list of SUCCESS, FAILURE, DELAY. */
bool command_notify(struct str list, unsigned *notify) MUST_USE;

/* "type;xtext" to its decoded form. */
bool command_orcpt(struct arena *a, struct str value,
                   struct str *orcpt) MUST_USE;

/* "size" or "size LAST" of BDAT (RFC 3030). */
bool command_bdat(struct str args, uint64_t *size, bool *last) MUST_USE;

#endif
