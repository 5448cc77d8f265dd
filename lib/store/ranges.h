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
/* All of it as a set in the arena; afterwards r is empty. */
struct uid_set ranges_take(struct ranges *r, struct arena *a);

bool uid_set_has(struct uid_set set, uint32_t uid);

#endif
