#include "store/ranges.h"

#include <stdlib.h>

void
ranges_add(struct ranges *r, uint32_t uid)
{
    struct uid_range *last = r->list.len ? &r->list.at[r->list.len - 1] : NULL;

    if (last && last->last + 1 == uid)
        last->last = uid;
    else
        *vec_add(&r->list) = (struct uid_range){uid, uid};
}

void
ranges_add_set(struct ranges *r, struct uid_set set)
{
    for (size_t i = 0; i < set.len; i++) {
        ranges_add(r, set.at[i].first);
        r->list.at[r->list.len - 1].last = set.at[i].last;
    }
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

static int
cmp_uid(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

void
uids_sort(struct uids *u)
{
    size_t kept = 0;

    if (u->list.len)
        qsort(u->list.at, u->list.len, sizeof *u->list.at, cmp_uid);
    for (size_t i = 0; i < u->list.len; i++)
        if (kept == 0 || u->list.at[kept - 1] != u->list.at[i])
            u->list.at[kept++] = u->list.at[i];
    u->list.len = kept;
}

struct uid_set
uids_take(struct uids *u, struct arena *a)
{
    struct ranges r = {0};

    for (size_t i = 0; i < u->list.len; i++)
        ranges_add(&r, u->list.at[i]);
    vec_free(&u->list);
    return ranges_take(&r, a);
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

uint32_t
uid_set_count(struct uid_set set)
{
    uint32_t count = 0;

    for (size_t i = 0; i < set.len; i++)
        count += set.at[i].last - set.at[i].first + 1;
    return count;
}
