#include "store/uidvalidity.h"

#include <time.h>

#include "unit/store/place.h"

static uint32_t
next(struct validities *v)
{
    uint32_t validity;
    struct why why;

    assert_int_equal(uidvalidity_new(v, place.dir, &validity, &why), OK);
    return validity;
}

static uint64_t
noted(void)
{
    const char *path = arena_fmt(scratch, "%s/dovecot-uidvalidity", place.path);
    uint64_t n;

    assert_true(str_hex(file_text(scratch, path), &n));
    return n;
}

/* One is the time, and noted as Dovecot does. */
static void
one(void **state)
{
    struct validities v = {0};
    uint32_t before = (uint32_t)time(NULL), first = next(&v);

    (void)state;
    assert_in_range(first, before, (uint32_t)time(NULL));
    assert_int_equal(noted(), first);
}

/* Of two processes each gets more than was ever noted by the other. */
static void
many(void **state)
{
    struct validities a = {0}, b = {0};
    uint32_t last = 0;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        uint32_t validity = next(i / 500 % 2 ? &b : &a);

        assert_true(validity > last);
        assert_true(noted() >= validity);
        last = validity;
    }
    assert_true(last < time(NULL) + 10000);
}

/* The file is another program's, too. */
static void
others(void **state)
{
    const char *path = arena_fmt(scratch, "%s/dovecot-uidvalidity", place.path);
    struct validities v = {0};

    (void)state;
    for (int i = 0; i < 6; i++)
        (void)next(&v); /* some are left */
    file_write(path, "f0000000");
    assert_int_equal(next(&v), 0xf0000001);
    file_write(path, "no number");
    assert_in_range(next(&v), 1000000000, (uint32_t)time(NULL));
    file_write(path, "fffffffe");
    assert_in_range(next(&v), 1000000000, (uint32_t)time(NULL));
}

TESTS(PLACE_TEST(one), PLACE_TEST(many), PLACE_TEST(others))
