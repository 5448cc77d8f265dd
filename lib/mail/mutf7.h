/*
 * mutf7.h - names of mailboxes in modified UTF-7 (RFC 3501 5.1.3).
 *
 * What IMAP4rev1 clients see, and what Maildir++ folders are called on disk.
 */
#ifndef MAIL_MUTF7_H
#define MAIL_MUTF7_H

#include "base/buf.h"

/* Append the UTF-8 text in modified UTF-7. False where it is no UTF-8 or has
 * control bytes. */
bool mutf7_encode(struct buf *out, struct str utf8) MUST_USE;

/* Append the text in UTF-8. False where it is not in the one form that
 * mutf7_encode makes, so each name has one spelling. */
bool mutf7_decode(struct buf *out, struct str mutf7) MUST_USE;

#endif
