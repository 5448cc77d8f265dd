/*
 * casemap.h - comparing text whatever its case (RFC 5051,
 * i;unicode-casemap; RFC 5255 4.1, I18NLEVEL=1).
 *
 * Mapped text is the titlecase of each character, decomposed: what is equal
 * for a reader has equal bytes, which are ordered and searched as such. The
 * tables are those of utf8proc.
 */
#ifndef MAIL_CASEMAP_H
#define MAIL_CASEMAP_H

#include "base/buf.h"

/* Append text mapped. Bytes that are no UTF-8 become U+FFFD. */
void casemap_put(struct buf *out, struct str text);

struct str casemap(struct arena *a, struct str text);

/* Take a piece of a long text off its front, whole characters, and map it into
 * the buffer, in place of what that held. */
struct str casemap_next(struct buf *out, struct str *text);

#endif
