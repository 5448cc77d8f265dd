/*
 * generic.h - smtp_generic_maps: addresses that mean something only here
 * become ones that the world can answer to, in the envelope and the header
 * (generic(5)).
 */
#ifndef SMTP_GENERIC_H
#define SMTP_GENERIC_H

#include "conf/conf.h"

struct generic;

/* NULL where there are no such tables. */
struct generic *generic_open(struct arena *life, const struct conf *conf,
                             const char *maps);

/* The address the world sees; a view of addr where it is the same. */
enum rc generic_map(struct generic *g, struct arena *a, struct str addr,
                    struct str *out, struct why *why) MUST_USE;

/* The same for all addresses in the body of a header field. */
enum rc generic_map_field(struct generic *g, struct arena *a, struct str body,
                          struct str *out, struct why *why) MUST_USE;

#endif
