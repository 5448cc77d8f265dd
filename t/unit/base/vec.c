#include "base/vec.h"

#include "unit/test.h"

struct item {
    int n;
    char pad[20];
};

static void
elements(void **state)
{
    VEC(struct item) v = {0};

    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct item *it = vec_add(&v);

        assert_int_equal(it->n, 0);
        it->n = i;
        memset(it->pad, 0xff, sizeof it->pad);
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(v.at[i].n, i);
    vec_drop(&v, 0);
    assert_int_equal(v.len, 999);
    assert_int_equal(v.at[0].n, 999);
    while (v.len > 0)
        vec_drop(&v, 0);

    /* What is used again is zeroed again. */
    assert_int_equal(vec_add(&v)->pad[0], 0);
    vec_free(&v);
    assert_null(v.at);
    assert_int_equal(v.len + v.cap, 0);
}

TESTS(TEST(elements))
