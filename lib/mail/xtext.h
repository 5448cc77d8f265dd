/*
 * xtext.h - texts in SMTP parameters: xtext of RFC 3461 section 4, and
 * utf-8-addr-xtext and utf-8-addr-unitext of RFC 6533 section 3.
 */
#ifndef MAIL_XTEXT_H
#define MAIL_XTEXT_H

#include "base/arena.h"
#include "base/str.h"

/* Every byte outside "!".."~", and "+" and "=", as +XX. */
struct str xtext_encode(struct arena *a, struct str s);

/* False where a byte may not stand in xtext or a +XX is broken. A view of s
 * where there was nothing to decode. */
bool xtext_decode(struct arena *a, struct str s, struct str *out) MUST_USE;

/* \x{HEX} for each character outside ASCII, and for " ", "+", "=", "\":
 * utf-8-addr-xtext, that any server can pass on. s is UTF-8. */
struct str xtext_encode_utf8(struct arena *a, struct str s);

/* The same, but characters outside ASCII stay as they are:
 * utf-8-addr-unitext, for servers with SMTPUTF8. */
struct str xtext_encode_unitext(struct arena *a, struct str s);

/* Both UTF-8 forms: \x{HEX} is decoded, UTF-8 stays. */
bool xtext_decode_utf8(struct arena *a, struct str s, struct str *out) MUST_USE;

#endif
