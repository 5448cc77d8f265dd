/*
 * incoming.h - a message's bytes between the client and the store.
 *
 * Header fields with bytes over 127 are refused where the client has not said
 * that it knows what that means (RFC 6855 4); binary parts, which no file of
 * lines can hold, are encoded (RFC 3516 4.4).
 */
#ifndef IMAPD_INCOMING_H
#define IMAPD_INCOMING_H

#include "mail/binary.h"
#include "reader.h"
#include "store/append.h"

struct incoming {
    bool ascii_header; /* bytes over 127 in the header are refused */
    /* private */
    bool in_body, in_line;
    bool held;      /* until the literal is over */
    uint64_t size;  /* of that */
    uint64_t grown; /* by encoding */
    struct arena *a;
    struct buf bytes;
    struct binary binary; /* that is encoded, once `encoding` */
    bool encoding;
    uint64_t written;
};

/* The next message begins. */
void incoming_begin(struct incoming *in, bool ascii_header);
/* A literal that is a whole message, and may have binary parts. It is held, as
 * only its end shows what is in it. */
void incoming_hold(struct incoming *in, uint64_t size);
/* Bytes of it. PERM 5.6.1: NUL that is no part's content; 5.6.7: the header. */
enum rc incoming_put(struct incoming *in, struct append *to, struct str bytes,
                     struct why *why) MUST_USE;
/* Has all come of what was held? Then it must be written, some of it at a time
 * as it may be long. PERM as above. */
bool incoming_is_held(const struct incoming *in);
enum rc incoming_write_some(struct incoming *in, struct append *to,
                            struct why *why) MUST_USE;
/* Give the memory back. */
void incoming_drop(struct incoming *in);

#endif
