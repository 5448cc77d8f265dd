/*
 * fold.h - keys in lower case.
 */
#ifndef MAP_FOLD_H
#define MAP_FOLD_H

#include "base/arena.h"

/* Lower case, for UTF-8 of any script; bytes that are no UTF-8 stay as they
 * are. A view of s where nothing changes. */
struct str map_fold(struct arena *a, struct str s);

#endif
