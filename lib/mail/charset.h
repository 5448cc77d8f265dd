/*
 * charset.h - text of other character sets as UTF-8.
 *
 * Those of western mail, by table: UTF-8, US-ASCII, ISO-8859-1 and -15,
 * windows-1252. No iconv: it reads files.
 */
#ifndef MAIL_CHARSET_H
#define MAIL_CHARSET_H

#include "base/buf.h"

/* Append text as UTF-8; what is no character becomes U+FFFD. False, and
 * nothing is appended, where the character set is not known. */
bool charset_to_utf8(struct buf *out, struct str charset, struct str text);

#endif
