/*
 * mime_walk.h - the structure of a message that comes in pieces (RFC 2046).
 *
 * Tells what each byte is: a field of some part's header, text of a leaf, or
 * what stands between parts. The bytes of all calls together are the message.
 * Depth, parts, and what is held in memory are bounded; what goes beyond is
 * text. LF line ends.
 */
#ifndef MAIL_MIME_WALK_H
#define MAIL_MIME_WALK_H

#include "mail/header.h"
#include "mail/mime.h"

#define MIME_DEPTH_MAX    100
#define MIME_BOUNDARY_MAX 256   /* longest boundary that is recognised */
#define MIME_FIELD_MAX    65536 /* longest field that is parsed */

enum mime_kind {
    MIME_LEAF,
    MIME_MULTIPART, /* parts between boundaries */
    MIME_MESSAGE,   /* message/rfc822, message/global: a message as its body */
    MIME_OPAQUE,    /* a leaf that may not be encoded: message/partial, or a
                       multipart whose parts cannot be told */
};

/* The part that a call is about. */
struct mime_part {
    uint64_t number; /* 0 is the message; in order of appearance */
    unsigned depth;
    bool is_message;             /* its header is that of a message */
    enum mime_kind kind;         /* known at the end of its header */
    enum mime_encoding encoding; /* what its header says; the same */
    uint64_t seen;               /* 1 << enum header_id, of its header */
};

struct mime_calls {
    /* A field of a header; where it is cut, the rest comes as `between`. */
    void (*field)(void *self, const struct mime_part *p,
                  const struct header_field *f);
    /* The header is over; empty_line: the next byte is its LF, that this
     * call stands for. */
    void (*header_end)(void *self, const struct mime_part *p, bool empty_line);
    /* Body of a leaf. The line end before a boundary belongs to that. */
    void (*text)(void *self, const struct mime_part *p, struct str bytes);
    /* A leaf's body is over. */
    void (*text_end)(void *self, const struct mime_part *p);
    /* Boundaries, and what no reader shows. */
    void (*between)(void *self, struct str bytes);
};

struct mime_walk;

struct mime_walk *mime_walk_new(struct arena *a, const struct mime_calls *calls,
                                void *self);
void mime_walk_put(struct mime_walk *w, struct str content);
void mime_walk_end(struct mime_walk *w);
/* Begin another message. */
void mime_walk_reset(struct mime_walk *w);

#endif
