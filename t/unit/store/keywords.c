#include "store/keywords.h"

#include "store/state.h"
#include "unit/test.h"

static void
names(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct keywords k = {0};
    struct buf b = buf_in(a);

    (void)state;
    keywords_read(&k, S("0 work\n25 $Forwarded\n26 toomany\nx y\n1\n2 a(b\n"));
    assert_int_equal(keywords_find(&k, S("WORK")), 0);
    assert_int_equal(keywords_find(&k, S("$forwarded")), 25);
    assert_int_equal(keywords_find(&k, S("toomany")), -1);
    assert_int_equal(keywords_free(&k), 1);
    keywords_put(&b, &k);
    assert_str(buf_str(&b), S("0 work\n25 $Forwarded\n"));
    arena_free(a);
}

static void
state_lines(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct str text = S("1 V17\nM 12\nK 26 more\nK 3 letter\n"
                        "U 5 0000000004000000\nU 5 0000000000000001\n"
                        "U 0 0000000004000000\nX 1\n\nM x\nM 13");
    struct state_line l;
    struct buf b = buf_in(a);

    (void)state;
    assert_int_equal(state_head(&text), 17);
    state_put_head(&b, 17);
    while (state_next(&text, &l))
        state_put(&b, &l);
    assert_str(buf_str(&b),
               S("1 V17\nM 12\nK 26 more\nU 5 0000000004000000\n"));
    text = S("2 V17\n");
    assert_int_equal(state_head(&text), 0);
    arena_free(a);
}

TESTS(TEST(names), TEST(state_lines))
