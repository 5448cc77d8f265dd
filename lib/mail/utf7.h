/*
 * utf7.h - names of mailboxes in modified UTF-7 (RFC 3501 5.1.3), which IMAP4
 * rev1 and Maildir++ folders use.
 */
#ifndef MAIL_UTF7_H
#define MAIL_UTF7_H

#include "base/buf.h"

/* To UTF-8. Strict: only the one form that a name has is taken, so that no
 * mailbox has two names. False otherwise. */
bool utf7_decode(struct arena *a, struct str name, struct str *out) MUST_USE;

/* From UTF-8; false where it is none, or has control characters. */
bool utf7_encode(struct arena *a, struct str name, struct str *out) MUST_USE;

#endif
