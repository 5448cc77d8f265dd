#include "store/ranges.h"

void
ranges_add(struct ranges *r, uint32_t uid)
{
    struct uid_range *last = r->list.len ? &r->list.at[r->list.len - 1] : NULL;

    if (last && last->last + 1 == uid)
        last->last = uid;
    else
        *vec_add(&r->list) = (struct uid_range){uid, uid};
}

struct uid_set
ranges_take(struct ranges *r, struct arena *a)
{
    size_t size = r->list.len * sizeof *r->list.at;
    struct uid_range *at = size ? arena_alloc(a, size) : NULL;
    struct uid_set set = {at, r->list.len};

    if (size)
        memcpy(at, r->list.at, size);
    vec_free(&r->list);
    return set;
}

bool
uid_set_has(struct uid_set set, uint32_t uid)
{
    size_t low = 0, high = set.len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (set.at[middle].last < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set.len && set.at[low].first <= uid;
}
