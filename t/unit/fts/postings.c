#include "fts/postings.h"

#include <stdlib.h>

#include "fts/segment.h"
#include "unit/test.h"

#define OF 1000

/* As put and read again, from every share of messages. */
static void
keeps_any_share(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    srand(1);
    for (int share = 0; share <= 100; share++) {
        const uint32_t from = share % 3 ? (uint32_t)rand() % OF : 0;
        uint64_t want[SEGMENT_BITS] = {0}, got[SEGMENT_BITS] = {0};
        uint16_t at[2 * OF];
        size_t count = 0;
        struct buf b = buf_in(a);

        for (uint32_t i = from; i < OF; i++) {
            if (rand() % 100 >= share)
                continue;
            bit_set(want, i);
            for (int again = rand() % 3 == 0; again >= 0; again--)
                at[count++] = (uint16_t)i;
        }
        postings_put(&b, at, count, from, OF);
        assert_true(b.len <= OF / 8 + 2); /* never more than a bit each */
        postings_add(buf_str(&b), from, OF, got);
        assert_memory_equal(got, want, sizeof want);
        for (size_t cut = 0; cut < b.len; cut++)
            postings_add((struct str){b.p, cut}, from, OF, got);
        arena_reset(a);
    }
    arena_free(a);
}

/* Whatever the bytes are, nothing is set but what may be. */
static void
stays_in_bounds(void **state)
{
    (void)state;
    srand(2);
    for (int run = 0; run < 20000; run++) {
        const uint32_t of = 1 + (uint32_t)rand() % SEGMENT_DOCS_MAX;
        const uint32_t from = (uint32_t)rand() % (of + 1);
        uint64_t bits[SEGMENT_BITS] = {0};
        char bytes[40];

        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (char)(rand() % 4 ? 0 : rand());
        postings_add((struct str){bytes, (size_t)rand() % sizeof bytes}, from,
                     of, bits);
        for (uint32_t i = 0; i < SEGMENT_DOCS_MAX; i++)
            assert_true(!bit_is_set(bits, i) || (i >= from && i < of));
    }
}

TESTS(TEST(keeps_any_share), TEST(stays_in_bounds))
