/*
 * header_filter.h - a header that comes in pieces, field by field.
 *
 * For every producer: it counts hops, drops or replaces fields (Bcc, rewritten
 * addresses), and adds what is missing at the end of the header. Holds back at
 * most one field; the body passes through as it comes. LF line ends.
 */
#ifndef MAIL_HEADER_FILTER_H
#define MAIL_HEADER_FILTER_H

#include "mail/header.h"

enum header_verdict { HEADER_KEEP, HEADER_DROP };

struct header_calls {
    /* Each field. HEADER_KEEP puts it out as it came. To replace it, put
     * something else out and say HEADER_DROP. A field over the limit comes
     * once, cut; the verdict holds for all of it. */
    enum header_verdict (*field)(void *self, const struct header_field *f);
    /* Once, after the last field and before the empty line. May be NULL. */
    void (*end)(void *self);
    /* What is to go out. */
    void (*put)(void *self, struct str text);
};

struct header_filter {
    /* Seen so far. */
    unsigned received, delivered_to; /* hops */
    uint64_t seen;                   /* bit 1 << enum header_id */
    size_t size;                     /* bytes of header */
    bool in_body;                    /* the header is over */

    /* private */
    const struct header_calls *calls;
    void *self;
    struct buf field;
    size_t limit;
    bool inside;   /* of a line */
    bool checked;  /* what is held begins a field */
    bool cutting;  /* behind the limit of a field */
    bool dropping; /* and not keeping it */
};

/* `limit` is the longest field held (header_size_limit). */
void header_filter_begin(struct header_filter *h, struct arena *a, size_t limit,
                         const struct header_calls *calls, void *self);

void header_filter_put(struct header_filter *h, struct str content);

/* The message is complete: ends the header if nothing has yet. */
void header_filter_end(struct header_filter *h);

#endif
