/*
 * needles.h - many texts looked for at once, in texts that come in pieces
 * (Aho and Corasick): the time does not grow with their number.
 *
 * Needles and texts are mapped (casemap.h), so case does not matter.
 */
#ifndef MAIL_NEEDLES_H
#define MAIL_NEEDLES_H

#include "base/buf.h"

struct needles;

/* Memory is some 20 times what the needles have in all. */
struct needles *needles_new(struct arena *a, const struct str *mapped,
                            size_t count);

/* Nothing has been found. An empty needle is in each text that begins. */
void needles_forget(struct needles *n);

/* A text begins, of a kind (a bit): nothing is found across its bounds. */
void needles_begin(struct needles *n, unsigned kind);

/* More of the text. */
void needles_put(struct needles *n, struct str mapped);

/* In which kinds of texts the needle was. */
unsigned needles_found(const struct needles *n, size_t needle);

#endif
