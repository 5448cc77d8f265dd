#include "store/store.h"

#include <errno.h>

#include "unit/test.h"

static void
codes(void **state)
{
    struct why why;

    (void)state;
    assert_int_equal(store_fail(EDQUOT, &why, "box %d", 1), PERM);
    assert_string_equal(why.dsn, "5.2.2");
    assert_string_equal(why.text, "box 1: Disk quota exceeded");
    assert_int_equal(store_fail(ENOSPC, &why, "box"), TEMP);
    assert_string_equal(why.dsn, "4.3.1");
    assert_int_equal(store_fail(EACCES, &why, "box"), TEMP);
    assert_string_equal(why.dsn, "4.2.0");
}

TESTS(TEST(codes))
