/*
 * downgrade.h - 8-bit content for a next hop without 8BITMIME (RFC 6152 3).
 *
 * Two passes over the message content (LF line ends, pieces of any size): the
 * first looks, and tells whether anything must change; the second writes the
 * converted message. Leaf parts that are not encoded and hold 8-bit bytes or
 * NUL (or are binary with lines over 998 bytes) become quoted-printable, with
 * their Content-Transfer-Encoding put right; the labels 8bit and binary of
 * other parts become 7bit. All other bytes pass unchanged. Header fields are
 * never converted: 8-bit bytes there need SMTPUTF8. message/partial cannot be
 * encoded and stays as it is.
 */
#ifndef MAIL_DOWNGRADE_H
#define MAIL_DOWNGRADE_H

#include "base/arena.h"

struct downgrade;

typedef void downgrade_out(void *self, struct str bytes);

struct downgrade *downgrade_new(struct arena *a);

/* First pass, over everything. */
void downgrade_look(struct downgrade *d, struct str content);
/* After the first pass: must the message be converted? Begins the second. */
bool downgrade_needed(struct downgrade *d);

/* Second pass: the same content again; `out` gets the converted message. */
void downgrade_put(struct downgrade *d, struct str content, downgrade_out *out,
                   void *self);
void downgrade_end(struct downgrade *d, downgrade_out *out, void *self);

#endif
