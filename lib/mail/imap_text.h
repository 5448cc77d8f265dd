/*
 * imap_text.h - strings as IMAP writes them (RFC 9051 4.3, 9).
 *
 * Two forms: the wide one has UTF-8 in quoted strings, as clients read it that
 * enabled IMAP4rev2 or UTF8=ACCEPT; for others imap_narrow makes literals of
 * such strings. NUL, which no string may hold, is written as U+FFFD.
 */
#ifndef MAIL_IMAP_TEXT_H
#define MAIL_IMAP_TEXT_H

#include "base/buf.h"

/* Quoted where that can be, or else a literal. Wide. */
void imap_put_string(struct buf *b, struct str s);

/* The same; NIL where s.p is NULL. */
void imap_put_nstring(struct buf *b, struct str s);

/* An atom where that can be (never NIL, never with "]"), or else a string. */
void imap_put_astring(struct buf *b, struct str s);

/* Append responses that were written wide for a client that reads ASCII in
 * quoted strings only. Text that is all ASCII is copied as it is. */
void imap_put_narrow(struct buf *b, struct str wide);

/* A byte that may stand in an atom: no blank, control, quote, wildcard,
 * parenthesis, brace, backslash, and nothing over 127. */
bool imap_is_atom_char(char c);

#endif
