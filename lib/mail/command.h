/*
 * command.h - SMTP commands as a server reads them (RFC 5321 4.1).
 *
 * Pure: bytes in, values or a complete reply out. A parser returns NULL where
 * the command is right, else the reply to give ("501 5.5.4 ..."), in the
 * arena or static. Values are views of the line or live in the arena.
 */
#ifndef MAIL_COMMAND_H
#define MAIL_COMMAND_H

#include "mail/path.h"
#include "mail/smtp.h"

/* Cut the verb off the front of a line; *args is what follows its blanks,
 * without blanks at the end. The verb is empty where the line is. */
void command_cut(struct str line, struct str *verb, struct str *args);

/*
 * "FROM:<path> parameters". `offered` are the SMTP_ bits of what was announced
 * to this client, nothing else may be used; `strict` is
 * strict_rfc821_envelopes. A sender that is not ASCII needs SMTPUTF8.
 */
struct mail_args {
    struct str sender;
    struct smtp_mail with;
};
const char *command_mail(struct arena *a, struct str args, unsigned offered,
                         bool strict, struct mail_args *m);

/* "TO:<path> parameters". utf8: MAIL said SMTPUTF8. */
struct rcpt_args {
    struct str addr;
    struct smtp_rcpt with;
};
const char *command_rcpt(struct arena *a, struct str args, unsigned offered,
                         bool strict, bool utf8, struct rcpt_args *r);

/* "size" or "size LAST" of BDAT (RFC 3030). */
bool command_bdat(struct str args, uint64_t *size, bool *last) MUST_USE;

/* "mechanism" or "mechanism initial-response" of AUTH (RFC 4954 4). */
struct auth_args {
    struct str mech; /* a SASL name (RFC 4422 3.1), in whatever case */
    bool has_initial;
    struct str initial; /* decoded */
};
enum command_auth {
    AUTH_TAKEN,
    AUTH_SYNTAX, /* no mechanism, or more than that */
    AUTH_BASE64, /* the initial response is none; mech is known */
};
enum command_auth command_auth(struct arena *a, struct str args,
                               struct auth_args *out) MUST_USE;

/* A line that answers a challenge: base64, or "*" to give up. */
enum command_response {
    RESPONSE_DATA,
    RESPONSE_CANCEL,
    RESPONSE_BAD,
};
enum command_response command_response(struct arena *a, struct str line,
                                       struct str *data) MUST_USE;

#endif
