#include "base/order.h"

#define STEP 2048

void
order_begin(struct order *o, struct arena *a, size_t count)
{
    *o = (struct order){
        .at = arena_alloc(a, (count + 1) * sizeof *o->at),
        .to = arena_alloc(a, (count + 1) * sizeof *o->to),
        .count = count,
        .width = 1,
    };
}

static size_t
lower(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Two neighbouring runs, from `begin` on. */
static void
take_pair(struct order *o, size_t begin)
{
    o->out = o->left = begin;
    o->middle = o->right = lower(begin + o->width, o->count);
    o->end = lower(begin + 2 * o->width, o->count);
}

static bool
is_over(const struct order *o, size_t right, size_t left)
{
    const struct order_item *r = &o->at[right], *l = &o->at[left];

    if (r->key != l->key || o->tie == NULL)
        return r->key >= l->key;
    return o->tie(o->self, r->place, l->place) >= 0;
}

/* The next of the pair; the left one, where they are equal. */
static void
merge_one(struct order *o)
{
    bool left = o->left < o->middle &&
                (o->right == o->end || is_over(o, o->right, o->left));

    o->to[o->out++] = o->at[left ? o->left++ : o->right++];
}

bool
order_step(struct order *o)
{
    for (size_t i = 0; i < STEP; i++) {
        if (o->out < o->end) {
            merge_one(o);
            continue;
        }
        if (o->end == o->count && o->end > 0) {
            struct order_item *merged = o->to;

            o->to = o->at;
            o->at = merged;
            o->width *= 2;
            o->end = 0;
        }
        if (o->width >= o->count)
            return true;
        take_pair(o, o->end);
    }
    return false;
}

uint64_t
order_number(int64_t n)
{
    return (uint64_t)n ^ UINT64_C(1) << 63;
}

uint64_t
order_text(struct str text)
{
    uint64_t key = 0;

    for (size_t i = 0; i < sizeof key; i++)
        key = key << 8 | (i < text.len ? (unsigned char)text.p[i] : 0);
    return key;
}
