/*
 * binary.h - a message with binary parts as one that is made of lines, as a
 * Maildir has them (RFC 3516 4.4, RFC 2045 6).
 *
 * Parts that say they are binary become base64, byte for byte; what is around
 * them and says so becomes 8bit. Everything else passes as it is.
 */
#ifndef MAIL_BINARY_H
#define MAIL_BINARY_H

#include "mail/structure.h"

struct binary {
    /* False: it cannot be kept without loss, as NUL stands anywhere but in a
     * binary part, or there are more parts than are looked at. */
    bool good;
    /* private */
    struct str message;
    struct structure_maker *maker;
    struct structure s;
    size_t part;     /* the next one that is binary; s.count: none */
    size_t done;     /* bytes of the message */
    struct str body; /* what is to become base64 */
    bool at_end;     /* no boundary follows that */
    struct buf out;
};

/* The message must stay, and the arena. */
void binary_begin(struct binary *b, struct arena *a, struct str message);
/* The next piece, at most some 100 KiB but for long headers, good until the
 * next call; it may be empty. False at the end, and once it is not good. */
bool binary_next(struct binary *b, struct str *piece) MUST_USE;
void binary_end(struct binary *b);

#endif
