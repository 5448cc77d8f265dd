/*
 * qp.h - quoted-printable (RFC 2045 6.7). Line ends are LF.
 */
#ifndef MAIL_QP_H
#define MAIL_QP_H

#include "base/buf.h"

/* An encoder over pieces of any size; start with zeros. No line it makes is
 * over 76 bytes. */
struct qp {
    size_t column;
    char blank; /* held: a blank or tab that may end the line */
};

void qp_encode(struct qp *q, struct str in, struct buf *out);
/* The end: writes what is held. A last line without LF stays without. */
void qp_encode_end(struct qp *q, struct buf *out);

/* Decode all of in. Broken escapes stay as they are, blanks at the end of a
 * line go. `word`: "_" is a blank, as in encoded words (RFC 2047 4.2). */
void qp_decode(struct buf *out, struct str in, bool word);

#endif
