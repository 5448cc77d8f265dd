#include "base/order.h"

#include "unit/test.h"

#define MANY 50000

static uint32_t keys[MANY], ties[MANY];

static int
by_tie(const void *self, uint32_t a, uint32_t b)
{
    const uint32_t *t = self;

    return (t[a] > t[b]) - (t[a] < t[b]);
}

/* How many steps it took. */
static size_t
run(struct arena *a, size_t count, bool tie)
{
    struct order o;
    size_t steps = 1;

    order_begin(&o, a, count);
    for (uint32_t i = 0; i < count; i++)
        o.at[i] = (struct order_item){keys[i], i};
    o.tie = tie ? by_tie : NULL;
    o.self = ties;
    while (!order_step(&o))
        steps++;
    for (size_t i = 1; i < count; i++) {
        uint32_t p = o.at[i - 1].place, n = o.at[i].place;

        assert_true(keys[p] <= keys[n]);
        if (keys[p] == keys[n] && tie && ties[p] != ties[n])
            assert_true(ties[p] < ties[n]);
        else if (keys[p] == keys[n])
            assert_true(p < n);
    }
    return steps;
}

static void
orders(void **state)
{
    struct arena *a = arena_new("test", (size_t)256 << 20);
    uint32_t seed = 1;

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        seed = seed * 1664525 + 1013904223;
        keys[i] = seed >> 24;
        ties[i] = seed >> 22 & 3;
    }
    for (size_t count = 0; count < 40; count++) {
        run(a, count, false);
        run(a, count, true);
    }
    assert_true(run(a, MANY, false) > 100);
    assert_true(run(a, MANY, true) > 100);
    for (uint32_t i = 0; i < MANY; i++)
        keys[i] = MANY - i;
    run(a, MANY, false);
    arena_free(a);
}

static void
key_order(void **state)
{
    static const int64_t numbers[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
    static const char *const texts[] = {"",   "a", "a\1",
                                        "ab", "b", "\xc3\xa9zzzzzzzzzz"};

    (void)state;
    for (size_t i = 1; i < COUNT(numbers); i++)
        assert_true(order_number(numbers[i - 1]) < order_number(numbers[i]));
    for (size_t i = 1; i < COUNT(texts); i++)
        assert_true(order_text(str_from(texts[i - 1])) <
                    order_text(str_from(texts[i])));
    assert_true(order_text(S("12345678")) == order_text(S("123456789")));
}

TESTS(TEST(orders), TEST(key_order))
