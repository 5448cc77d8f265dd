/*
 * binary.h - a message with binary parts as one that is made of lines, as a
 * Maildir has them (RFC 3516 4.4, RFC 2045 6).
 *
 * Parts that say they are binary become base64, byte for byte; what is around
 * them and says so becomes 8bit. Everything else passes as it is.
 */
#ifndef MAIL_BINARY_H
#define MAIL_BINARY_H

#include "base/arena.h"

typedef void binary_out(void *self, struct str bytes);

/* Write the message, in pieces of any size. False, perhaps after a part of it,
 * where NUL stands anywhere but in a binary part, or where there are more parts
 * than are looked at: it cannot be kept without loss. */
bool binary_encode(struct arena *a, struct str message, binary_out *out,
                   void *self) MUST_USE;

#endif
