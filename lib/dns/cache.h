/*
 * cache.h - answers of name servers for as long as they hold, and denials and
 * failures too. One a process; bounded: full, it starts anew.
 */
#ifndef DNS_CACHE_H
#define DNS_CACHE_H

#include "dns/dns.h"

struct cache;

struct cache *cache_new(struct arena *life);
void cache_free(struct cache *c); /* what is outside the arena */

/* The answer copied into the arena; false where none is known. `more` is
 * answer_parse's. */
bool cache_find(struct cache *c, struct str name, enum dns_type type,
                struct arena *a, struct dns_answer *answer, bool *more);
bool cache_has(struct cache *c, struct str name, enum dns_type type);

/* Keep a copy for answer->ttl seconds. */
void cache_keep(struct cache *c, struct str name, enum dns_type type,
                const struct dns_answer *answer, bool more);

#endif
