/*
 * dsn.h - delivery status notification parameters (RFC 3461) and enhanced
 * status codes (RFC 3463).
 */
#ifndef MAIL_DSN_H
#define MAIL_DSN_H

#include "base/arena.h"
#include "mail/envelope.h"

/* "NEVER", or some of "SUCCESS,FAILURE,DELAY", each once; whatever its case.
 * notify is NOTIFY_ bits. */
bool dsn_parse_notify(struct str text, unsigned *notify) MUST_USE;
/* The inverse: "SUCCESS,FAILURE"; empty for 0. */
struct str dsn_notify_text(struct arena *a, unsigned notify);

/* "FULL" or "HDRS" as an ENVELOPE_RET_ bit. */
bool dsn_parse_ret(struct str text, unsigned *ret) MUST_USE;

/* ENVID as on the wire (xtext, at most 100 bytes, RFC 3461 4.4), decoded. */
bool dsn_parse_envid(struct arena *a, struct str text,
                     struct str *envid) MUST_USE;

/*
 * ORCPT as on the wire, "rfc822;a+2Bb@example.org" (at most 500 bytes),
 * decoded: "rfc822;a+b@example.org". Type "utf-8" is decoded as RFC 6533 says.
 */
bool dsn_parse_orcpt(struct arena *a, struct str text,
                     struct str *orcpt) MUST_USE;
/* The inverse. `utf8`: the next hop speaks SMTPUTF8. */
struct str dsn_orcpt_text(struct arena *a, struct str orcpt, bool utf8);

/* Does the text begin with an enhanced code ("5.1.1", then a blank or the
 * end)? Cuts it and the blanks off and copies it to code. */
bool dsn_cut_code(struct str *text, char code[10]);

/* Is it one, whole? */
bool dsn_is_code(struct str text);

#endif
