/*
 * decode.h - a body without its transfer encoding (RFC 2045 6), in pieces of
 * any size.
 *
 * Decodes what is there: bytes that are no base64 are passed over, a broken
 * "=XX" is text, decoding of base64 goes on behind padding where more follows
 * (bodies that were put together from several). Line ends stay as they come.
 */
#ifndef MAIL_DECODE_H
#define MAIL_DECODE_H

#include "base/buf.h"
#include "mail/mime.h"

/* Start with {.encoding = ...}; of an encoding that is not known the bytes are
 * passed on as they are. */
struct decoder {
    enum mime_encoding encoding;
    uint32_t bits; /* private */
    unsigned digits;
    char held[64]; /* quoted-printable: the end of a piece that may mean
                      something else when more comes */
    size_t held_len;
};

void decode_put(struct decoder *d, struct str in, struct buf *out);
void decode_end(struct decoder *d, struct buf *out);

#endif
