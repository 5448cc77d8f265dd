/*
 * rewrite.h - the header of a message on its way out: generic addresses, and
 * what header_checks say.
 */
#ifndef SMTP_REWRITE_H
#define SMTP_REWRITE_H

#include "generic.h"
#include "map/map.h"

struct rewrite;

typedef void rewrite_out(void *self, struct str bytes);

/* Either table may be NULL. scratch is reset with each field. id is for the
 * log. */
struct rewrite *rewrite_new(struct arena *a, struct arena *scratch,
                            struct generic *generic, struct maps *checks,
                            struct str id);

/* The message, from its first byte on; again for another server. */
void rewrite_begin(struct rewrite *r, rewrite_out *out, void *self);
void rewrite_put(struct rewrite *r, struct str piece);
void rewrite_end(struct rewrite *r);

/* A table could not answer: what went out since begin is not the message.
 * NULL where all is well. */
const struct why *rewrite_trouble(const struct rewrite *r);

#endif
