/*
 * hash.h - a table from bytes to a pointer.
 *
 * Keys are copied. The hash is keyed with a random secret per process
 * (SipHash-1-3), so nobody outside can choose keys that collide.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/str.h"

struct hash;

struct hash *hash_new(void);
void hash_free(struct hash *h);
size_t hash_count(const struct hash *h);

/* The value of key, or NULL. */
void *hash_get(const struct hash *h, struct str key);

/* The place of key's value, made with NULL in it where it is new. Valid until
 * the next hash_put or hash_del. */
void **hash_put(struct hash *h, struct str key);

/* Remove key and return the value it had, or NULL. */
void *hash_del(struct hash *h, struct str key);

/*
 * Walk: start with *pos = 0, go on while it returns true. Order is arbitrary.
 * Only hash_get is allowed meanwhile. key and value may be NULL.
 */
bool hash_next(const struct hash *h, size_t *pos, struct str *key,
               void **value);

/* The keyed hash itself, for tables of another shape. */
uint64_t hash_of(struct str key);

/* The same in every process, to be kept in files. Who wants to can make keys
 * that collide. */
uint64_t hash_lasting(struct str key);

#endif
