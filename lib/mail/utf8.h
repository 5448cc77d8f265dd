/*
 * utf8.h - UTF-8 (RFC 3629) as mail needs it.
 */
#ifndef MAIL_UTF8_H
#define MAIL_UTF8_H

#include "base/buf.h"

/* No byte over 127. Fast: eight bytes at a time. */
bool utf8_is_ascii(struct str s);

/* Well-formed: shortest forms only, no surrogates, nothing over U+10FFFF. */
bool utf8_valid(struct str s);

/* Take one character off the front of a non-empty view; a byte that starts
 * none is U+FFFD and one byte. */
uint32_t utf8_next(struct str *s);

/* Append one character; what is no character becomes U+FFFD. */
void utf8_put(struct buf *b, uint32_t c);

#endif
