#include "fts/postings.h"

#include <endian.h>

#include "fts/segment.h"

#define K_BITS 4
#define K_MAX  ((1u << K_BITS) - 1)

/* ---- writing */

struct bits_out {
    struct buf *to;
    uint64_t held;
    unsigned len;
};

/* No more than 32. */
static void
put_bits(struct bits_out *o, uint64_t bits, unsigned len)
{
    o->held |= bits << o->len;
    o->len += len;
    if (o->len < 32)
        return;

    const uint32_t full = htole32((uint32_t)o->held);

    buf_add(o->to, (struct str){(const char *)&full, sizeof full});
    o->held >>= 32;
    o->len -= 32;
}

static void
put_rest(struct bits_out *o)
{
    const uint32_t rest = htole32((uint32_t)o->held);

    buf_add(o->to, (struct str){(const char *)&rest, (o->len + 7) / 8});
}

static void
put_gap(struct bits_out *o, uint32_t gap, unsigned k)
{
    uint32_t zeros = gap >> k;

    for (; zeros > 31; zeros -= 31)
        put_bits(o, 0, 31);
    put_bits(o, UINT64_C(1) << zeros, zeros + 1);
    put_bits(o, gap & ((1u << k) - 1), k);
}

/* The best k for numbers that lie at random is the logarithm of 0.69 times how
 * far they are apart. */
static unsigned
k_for(uint32_t numbers, uint32_t among)
{
    unsigned k = 0;

    while (numbers > 0 && k < K_MAX &&
           (uint64_t)numbers << (k + 1) <= (uint64_t)among * 69 / 100)
        k++;
    return k;
}

static uint32_t
count_different(const uint16_t *at, size_t count)
{
    uint32_t n = count > 0;

    for (size_t i = 1; i < count; i++)
        n += at[i] != at[i - 1];
    return n;
}

static void
put_these(struct bits_out *o, const uint16_t *at, size_t count, uint32_t next,
          unsigned k)
{
    for (size_t i = 0; i < count; i++) {
        if (at[i] < next)
            continue; /* the same again */
        put_gap(o, at[i] - next, k);
        next = at[i] + 1u;
    }
}

static void
put_others(struct bits_out *o, const uint16_t *at, size_t count, uint32_t next,
           uint32_t of, unsigned k)
{
    size_t i = 0;

    for (uint32_t other = next; other < of; other++) {
        while (i < count && at[i] < other)
            i++;
        if (i < count && at[i] == other)
            continue;
        put_gap(o, other - next, k);
        next = other + 1;
    }
}

void
postings_put(struct buf *b, const uint16_t *at, size_t count, uint32_t from,
             uint32_t of)
{
    uint32_t n = count_different(at, count), all = of - from;
    bool others = n > all / 2;
    unsigned k = k_for(others ? all - n : n, all);
    struct bits_out o = {.to = b};

    put_bits(&o, k | (unsigned)others << K_BITS, K_BITS + 1);
    if (others)
        put_others(&o, at, count, from, of, k);
    else
        put_these(&o, at, count, from, k);
    put_rest(&o);
}

/* ---- reading */

struct bits_in {
    struct str rest;
    uint64_t held;
    unsigned len;
};

static void
fill(struct bits_in *in)
{
    while (in->len <= 56 && in->rest.len > 0) {
        in->held |= (uint64_t)(unsigned char)in->rest.p[0] << in->len;
        in->len += 8;
        in->rest = (struct str){in->rest.p + 1, in->rest.len - 1};
    }
}

static bool
take_bits(struct bits_in *in, unsigned len, uint32_t *bits)
{
    if (in->len < len)
        fill(in);
    if (in->len < len)
        return false;
    *bits = (uint32_t)(in->held & ((UINT64_C(1) << len) - 1));
    in->held >>= len;
    in->len -= len;
    return true;
}

/* So many zeros, and the one behind them. */
static bool
take_zeros(struct bits_in *in, uint32_t *zeros)
{
    for (*zeros = 0; in->held == 0;) {
        *zeros += in->len;
        in->len = 0;
        if (in->rest.len == 0)
            return false;
        fill(in);
    }

    unsigned here = (unsigned)__builtin_ctzll(in->held);

    *zeros += here;
    in->held = in->held >> here >> 1;
    in->len -= here + 1;
    return true;
}

static void
set_range(uint64_t *bits, uint32_t from, uint32_t to)
{
    for (; from < to; from++)
        bit_set(bits, from);
}

void
postings_add(struct str list, uint32_t from, uint32_t of, uint64_t *bits)
{
    struct bits_in in = {.rest = list};
    uint32_t k, others, zeros, low, next = from;

    if (!take_bits(&in, K_BITS, &k) || !take_bits(&in, 1, &others))
        return;
    while (take_zeros(&in, &zeros) && zeros <= of && take_bits(&in, k, &low)) {
        uint64_t at = next + ((uint64_t)zeros << k) + low;

        if (at >= of)
            break;
        if (others)
            set_range(bits, next, (uint32_t)at);
        else
            bit_set(bits, at);
        next = (uint32_t)at + 1;
    }
    if (others)
        set_range(bits, next, of);
}
