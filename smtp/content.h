/*
 * content.h - the message on its way from its file to the wire.
 */
#ifndef SMTP_CONTENT_H
#define SMTP_CONTENT_H

#include "rewrite.h"
#include "session.h"

struct content {
    int fd;
    int64_t from, end; /* part of the file */
    struct arena *arena;
    bool convert;            /* to 7 bit, for a server without 8BITMIME */
    struct rewrite *rewrite; /* of the header, or NULL */
    struct str block; /* fields that go before it, LF line ends, or empty */

    /* private */
    struct str first; /* the beginning, read ahead */
    bool unreadable;  /* the file is shorter than it should be */
    struct why why;
};

/* Read the beginning. False with why where the file cannot be read. */
bool content_open(struct content *c, struct why *why);

/* Bytes as they will be sent; of large messages a little less. */
int64_t content_size(const struct content *c);

/* Bytes over 127 in the header, or anywhere. */
bool content_header_8bit(const struct content *c);
bool content_any_8bit(struct content *c);

/*
 * Send it, dots doubled, and the final dot; all but the end is flushed. Not
 * IO_OK: the connection is gone, or (unreadable, with why) the file, and the
 * connection must be closed before it could take what was sent for all.
 */
enum io content_send(struct content *c, struct session *s);

/* For BDAT: without dots, in pieces of up to CONTENT_CHUNK_MAX bytes that
 * `chunk` takes; what it returns ends the whole if it is not IO_OK. */
#define CONTENT_CHUNK_MAX ((size_t)262144)
typedef enum io content_chunk(void *self, struct str data, bool last);
enum io content_send_chunks(struct content *c, struct session *s,
                            content_chunk *chunk, void *self);

#endif
