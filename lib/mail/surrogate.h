/*
 * surrogate.h - a header that was written in UTF-8 (RFC 6532), for who reads
 * ASCII only (RFC 6855 7, RFC 6856 2.1).
 *
 * Words with bytes over 127 become encoded words (RFC 2047), of the character
 * set unknown-8bit where they are no UTF-8. An address that has such bytes
 * cannot be written in ASCII and is replaced by one that is nobody's; its name
 * stays (RFC 6858 2.1).
 */
#ifndef MAIL_SURROGATE_H
#define MAIL_SURROGATE_H

#include "base/buf.h"

/* Append the header, all in ASCII. Fields that were in ASCII, the empty line
 * and line ends stay as they are; others end with LF. */
void surrogate_put(struct arena *a, struct str header, struct buf *out);

#endif
