/*
 * kv.h - tables of keys and values in one file: the door to LMDB.
 *
 * A table is built whole, in key order, under a temporary name, and put in
 * place by rename; after that nobody changes it. So readers need no lock file
 * and see the table they opened as long as they hold it. A file is looked
 * through when it is opened: what is damaged is refused, not stumbled over.
 */
#ifndef SYS_KV_H
#define SYS_KV_H

#include <sys/stat.h>

#include "base/str.h"
#include "base/why.h"

/* Longest key. */
#define KV_KEY_MAX 511

struct kv;

struct kv_pair {
    struct str key, value;
};

/* Open the table. Where it cannot be, *k is NULL and errno says which way
 * (ENOENT, EACCES ...; EINVAL where the file is no table or damaged). */
enum rc kv_open(const char *path, struct kv **k, struct why *why) MUST_USE;
void kv_close(struct kv *k);

/* The file that was opened, as fstat tells. */
void kv_stat(const struct kv *k, struct stat *st);
size_t kv_count(const struct kv *k);

/* Tells whether the key is there; the value is a view of the file until
 * kv_close. No system call. */
bool kv_get(struct kv *k, struct str key, struct str *value);

/* All pairs in key order, as views: start with kv_first, end on false. One
 * walk at a time. */
bool kv_first(struct kv *k, struct kv_pair *pair);
bool kv_next(struct kv *k, struct kv_pair *pair);

/*
 * Replace the table at path by one of these pairs, which are in order (kv_cmp)
 * and have different keys of 1 to KV_KEY_MAX bytes. The file gets the owner
 * and mode of `like` where it is not NULL (the owner only if we are root),
 * else mode 0644. On disk before it gets its name.
 */
enum rc kv_build(const char *path, const struct kv_pair *pairs, size_t count,
                 const struct stat *like, struct why *why) MUST_USE;

/*
 * Wait until nobody else changes the table at path, and keep it so until the
 * descriptor is closed: for those who read a table, change and build it. -1
 * where there is none yet.
 */
int kv_lock(const char *path) MUST_USE;

/* The order of keys. */
int kv_cmp(struct str a, struct str b);

#endif
