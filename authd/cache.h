/*
 * cache.h - results of checks that were made before.
 *
 * The key is a keyed hash of the whole question, the password among it: what
 * matters for the answer is in it by construction, so another stored hash,
 * service or source is another key, and no password is kept. Memory is of
 * fixed size; what was used longest ago gives way.
 */
#ifndef AUTHD_CACHE_H
#define AUTHD_CACHE_H

#include "base/arena.h"
#include "check.h"

struct cache;

struct cache_limits {
    size_t bytes; /* 0: nothing is kept */
    /* Milliseconds that a yes and a no of PAM, shadow and LDAP hold. A hash
     * is what it is for ever. */
    int64_t ttl, negative_ttl;
};

struct cache *cache_new(struct arena *life, const struct cache_limits *limits);

#define CACHE_KEY 32

/* stamp: what else must be the same, such as the state of the file behind the
 * source. False where answers to such questions are never kept. */
bool cache_key(const struct cache *c, const struct question *q,
               struct str stamp, uint8_t key[CACHE_KEY]);

/* The answer that was kept; a view until the next cache_put. now: ms of any
 * clock that does not go back. */
bool cache_get(struct cache *c, const uint8_t key[CACHE_KEY], int64_t now,
               struct answer *a);
/* Keep it, where it is worth it: no failures of ours, nothing large. */
void cache_put(struct cache *c, const uint8_t key[CACHE_KEY],
               enum check_what what, const struct answer *a, int64_t now);

#endif
