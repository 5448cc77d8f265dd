#include "qmgr/shelf.h"

#include "unit/test.h"

#define MANY 20000

static struct queue_id
id(uint64_t n)
{
    return queue_id_make(1763787600000000 + n * 37, 0, false);
}

static void
found_again(void **state)
{
    struct shelf *s = shelf_new();

    (void)state;
    for (uint64_t i = 0; i < MANY; i++) {
        struct entry *e = shelf_add(s, id(i), (int64_t)i);

        assert_non_null(e);
        shelf_set(s, e, SHELF_HELD, 0);
    }
    assert_null(shelf_add(s, id(17), 0));
    for (uint64_t i = 0; i < MANY; i += 2)
        shelf_remove(s, shelf_find(s, id(i)));
    assert_int_equal(shelf_total(s), MANY / 2);
    for (uint64_t i = 0; i < MANY; i++) {
        struct entry *e = shelf_find(s, id(i));

        assert_int_equal(e != NULL, i % 2);
        if (e)
            assert_int_equal(e->seal, i);
    }

    /* What was given back is used again. */
    for (uint64_t i = 0; i < MANY; i += 2)
        shelf_set(s, shelf_add(s, id(i), (int64_t)i), SHELF_HELD, 0);
    uint32_t pos = 0;
    size_t seen = 0;

    while (shelf_next(s, &pos))
        seen++;
    assert_int_equal(seen, MANY);
    assert_int_equal(pos, MANY);
}

static void
due_in_order(void **state)
{
    struct shelf *s = shelf_new();
    int64_t last = 0;

    (void)state;
    for (uint64_t i = 0; i < MANY; i++)
        shelf_set(s, shelf_add(s, id(i), 0), SHELF_DUE,
                  (int64_t)(i * 7919 % 10007));
    for (uint64_t i = 0; i < MANY; i += 3)
        shelf_remove(s, shelf_find(s, id(i)));
    for (uint64_t i = 1; i < MANY; i += 3)
        shelf_set(s, shelf_find(s, id(i)), SHELF_DUE, (int64_t)(i % 997));
    while (shelf_count(s, SHELF_DUE)) {
        struct entry *e = shelf_due(s);

        assert_true(e->due >= last);
        last = e->due;
        shelf_set(s, e, SHELF_ACTIVE, 0);
    }
    assert_int_equal(shelf_count(s, SHELF_ACTIVE), shelf_total(s));
}

static void
fresh_in_order(void **state)
{
    struct shelf *s = shelf_new();

    (void)state;
    for (uint64_t i = 0; i < 10; i++)
        shelf_set(s, shelf_add(s, id(i), (int64_t)i), SHELF_FRESH, 0);
    shelf_remove(s, shelf_find(s, id(0)));
    shelf_remove(s, shelf_find(s, id(9)));
    shelf_remove(s, shelf_find(s, id(5)));
    shelf_set(s, shelf_add(s, id(10), 10), SHELF_FRESH, 0);
    for (int64_t i = 1; i <= 10; i++) {
        if (i == 5 || i == 9)
            continue;
        assert_int_equal(shelf_fresh(s)->seal, i);
        shelf_set(s, shelf_fresh(s), SHELF_ACTIVE, 0);
    }
    assert_null(shelf_fresh(s));
}

static void
entries_are_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct entry) <= 40);
    assert_int_equal(shelf_site(S("Example.ORG")),
                     shelf_site(S("example.org")));
}

TESTS(TEST(found_again), TEST(due_in_order), TEST(fresh_in_order),
      TEST(entries_are_small))
