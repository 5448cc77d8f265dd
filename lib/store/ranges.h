/*
 * ranges.h - UIDs that come in order, as ranges.
 */
#ifndef STORE_RANGES_H
#define STORE_RANGES_H

#include "base/vec.h"
#include "store/flags.h"

struct ranges {
    VEC(struct uid_range) list;
};

/* Over all that were added before. */
void ranges_add(struct ranges *r, uint32_t uid);
void ranges_add_set(struct ranges *r, struct uid_set set);
/* All of it as a set in the arena; afterwards r is empty. */
struct uid_set ranges_take(struct ranges *r, struct arena *a);

/* UIDs in any order. */
struct uids {
    VEC(uint32_t) list;
};

/* In order, each once. */
void uids_sort(struct uids *u);
struct uid_set uids_take(struct uids *u, struct arena *a);

/* In a transaction: the functions of changes.h. */
struct index_folder;
struct kv_env;
void index_changed_since(struct kv_env *kv, uint32_t folder, uint64_t since,
                         struct uids *found);
void index_vanished_since(struct kv_env *kv, const struct index_folder *f,
                          uint64_t since, struct ranges *r);

bool uid_set_has(struct uid_set set, uint32_t uid);
/* How many numbers are in it. */
uint32_t uid_set_count(struct uid_set set);

#endif
