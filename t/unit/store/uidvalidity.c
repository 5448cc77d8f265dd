#include "store/uidvalidity.h"

#include <time.h>
#include <utime.h>

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

/* Written by another program, and not in the same tick of the file system's
 * clock as by us. */
static void
note(const char *text)
{
    const char *path = arena_fmt(scratch, "%s/dovecot-uidvalidity", place.path);

    file_write(path, text);
    assert_int_equal(utime(path, &(struct utimbuf){1000, 1000}), 0);
}

/* The file is another program's, too. */
static void
others(void **state)
{
    struct validities v = {0};

    (void)state;
    for (int i = 0; i < 6; i++)
        (void)next(&v); /* some are left */
    note("f0000000");
    assert_int_equal(next(&v), 0xf0000001);
    note("no number");
    assert_in_range(next(&v), 1000000000, (uint32_t)time(NULL));
    note("fffffffe");
    assert_in_range(next(&v), 1000000000, (uint32_t)time(NULL));
}

TESTS(PLACE_TEST(one), PLACE_TEST(many), PLACE_TEST(others))
