/*
 * casemap.h - comparing and finding text whatever its case (RFC 5051,
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

/* Looks for one text in others that come in pieces. */
struct matcher;

struct matcher *matcher_new(struct arena *a, struct str needle);

/* Another text begins: nothing is found across its bounds. */
void matcher_reset(struct matcher *m);

/* More of the text, whole characters of UTF-8. True once it was found, also in
 * what comes later. An empty needle is found at once. */
bool matcher_put(struct matcher *m, struct str text);

/* Is it in this text, alone? */
bool matcher_find(struct matcher *m, struct str text);

#endif
