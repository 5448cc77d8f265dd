/*
 * utf8.h - UTF-8 (RFC 3629).
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buf.h"

/* No byte over 127. Fast: eight bytes at a time. */
bool utf8_is_ascii(struct str s);

/* Well-formed: shortest forms only, no surrogates, nothing over U+10FFFF. */
bool utf8_valid(struct str s);

/* What stands for bytes that are no character. */
#define UTF8_BAD 0xfffd

/* Take one character off the front of a non-empty view; a byte that starts
 * none is UTF8_BAD and one byte. */
uint32_t utf8_next(struct str *s);

/* Append one character; what is no character becomes UTF8_BAD. */
void utf8_put(struct buf *b, uint32_t c);

#endif
