#include "set.h"

#include <stdlib.h>

static int
compare(const void *pa, const void *pb)
{
    const struct seq_range *a = pa, *b = pb;

    return (a->from > b->from) - (a->from < b->from);
}

static struct seq_range
resolve(struct seq_range r, uint32_t last)
{
    uint32_t from = r.from ? r.from : last, to = r.to ? r.to : last;

    return from < to ? (struct seq_range){from, to}
                     : (struct seq_range){to, from};
}

struct seq_set
set_resolve(struct arena *a, const struct seq_set *set, uint32_t last)
{
    struct seq_set out = {0};

    must(!set->saved);
    out.at = arena_alloc(a, (set->count + 1) * sizeof *out.at);
    for (size_t i = 0; i < set->count; i++) {
        bool star = set->at[i].from == 0 || set->at[i].to == 0;

        if (!star || last > 0)
            out.at[out.count++] = resolve(set->at[i], last);
    }
    if (out.count < 2)
        return out;
    qsort(out.at, out.count, sizeof *out.at, compare);

    size_t end = 0;

    for (size_t i = 1; i < out.count; i++) {
        struct seq_range *before = &out.at[end], r = out.at[i];

        if (r.from > before->to && r.from - before->to > 1)
            out.at[++end] = r;
        else if (r.to > before->to)
            before->to = r.to;
    }
    out.count = end + 1;
    return out;
}

bool
set_has(const struct seq_set *set, uint32_t n)
{
    size_t low = 0, high = set->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (n < set->at[middle].from)
            high = middle;
        else if (n > set->at[middle].to)
            low = middle + 1;
        else
            return true;
    }
    return false;
}

uint64_t
set_count(const struct seq_set *set)
{
    uint64_t n = 0;

    for (size_t i = 0; i < set->count; i++)
        n += (uint64_t)set->at[i].to - set->at[i].from + 1;
    return n;
}

uint32_t
set_highest(const struct seq_set *set)
{
    return set->count ? set->at[set->count - 1].to : 0;
}

static void
put_range(struct buf *out, uint32_t from, uint32_t to, bool first)
{
    if (!first)
        buf_addc(out, ',');
    buf_fmt(out, "%u", from);
    if (to != from)
        buf_fmt(out, ":%u", to);
}

void
set_put(const struct seq_set *set, struct buf *out)
{
    for (size_t i = 0; i < set->count; i++)
        put_range(out, set->at[i].from, set->at[i].to, i == 0);
}

void
set_write_end(struct set_writer *w)
{
    if (w->from)
        put_range(w->out, w->from, w->to, !w->any);
    w->any |= w->from != 0;
    w->from = w->to = 0;
}

void
set_write(struct set_writer *w, uint32_t n)
{
    if (w->from && n == w->to + 1 && n != 0) {
        w->to = n;
        return;
    }
    set_write_end(w);
    w->from = w->to = n;
}
