#include "store/quota.h"

#include <sys/wait.h>

#include "unit/store/maildir.h"

static void
texts(void **state)
{
    static const struct {
        const char *text;
        bool good;
        int64_t bytes, messages, max_bytes, max_messages;
    } cases[] = {
        {"100S,5C\n  10 1\n -5 -1\n",         true,  5,  0,  100, 5},
        {"100S\n10 1\nx\n3\n9 9 9\n5 1",      true,  19, 10, 100, 0},
        {"5C\n",                              true,  0,  0,  0,   5},
        {"0S\n99999999999999999999 1\n7 1\n", true,  7,  1,  0,   0},
        {"S\n1 1\n",                          false, 0,  0,  0,   0},
        {"",                                  false, 0,  0,  0,   0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct quota_sum s;

        assert_int_equal(quota_parse(str_from(cases[i].text), &s),
                         cases[i].good);
        if (!cases[i].good)
            continue;
        assert_int_equal(s.bytes, cases[i].bytes);
        assert_int_equal(s.messages, cases[i].messages);
        assert_int_equal(s.limits.bytes, cases[i].max_bytes);
        assert_int_equal(s.limits.messages, cases[i].max_messages);
    }
}

static void
counted(void **state)
{
    struct user *u = user_new();
    struct quota_limits limits = {1000, 10};
    struct quota_sum sum;

    (void)state;
    user_put(u, "new/1.h,S=100");
    user_put(u, "cur/2.h:2,S");
    assert_int_equal(mkdir(arena_fmt(u->a, "%s/.A", u->root), 0700), 0);
    assert_int_equal(mkdir(arena_fmt(u->a, "%s/.A/cur", u->root), 0700), 0);
    user_put(u, ".A/cur/3.h,S=300:2,");
    good(quota_get(u->root, false, &limits, &sum, &u->why));
    assert_int_equal(sum.bytes, 417);
    assert_int_equal(sum.messages, 3);
    assert_str(file_text(u->a, arena_fmt(u->a, "%s/maildirsize", u->root)),
               S("1000S,10C\n         417            3\n"));

    /* From now on only what is added counts. */
    good(quota_add(u->root, 500, 1, &u->why));
    good(quota_check(u->root, false, &limits, 83, 1, &u->why));
    assert_int_equal(quota_check(u->root, false, &limits, 84, 1, &u->why),
                     PERM);
    assert_string_equal(u->why.dsn, "5.2.2");
    assert_int_equal(quota_check(u->root, false, &limits, 0, 7, &u->why), PERM);
    good(quota_add(u->root, -500, -1, &u->why));
    good(quota_check(u->root, false, &limits, 583, 1, &u->why));

    /* Other limits, or nonsense, are counted anew. */
    good(quota_add(u->root, -5000, -1, &u->why));
    good(quota_get(u->root, false, &limits, &sum, &u->why));
    assert_int_equal(sum.bytes, 417);
    limits.bytes = 2000;
    good(quota_add(u->root, 77, 1, &u->why));
    good(quota_get(u->root, false, &limits, &sum, &u->why));
    assert_int_equal(sum.bytes, 417);
    limits = (struct quota_limits){0};
    good(quota_check(u->root, false, &limits, 1 << 30, 1, &u->why));
    user_end(u);
}

/* Many add at once, and look, so that it is counted in between. */
static void
races(void **state)
{
    struct user *u = user_new();
    struct quota_limits limits = {1 << 20, 0};
    struct quota_sum sum;
    int status;

    (void)state;
    good(quota_get(u->root, false, &limits, &sum, &u->why));
    for (int i = 0; i < 4; i++) {
        if (fork())
            continue;
        for (int n = 0; n < 100; n++) {
            user_put(u, arena_fmt(u->a, "tmp/%d.%d.h,S=20", i, n));
            user_move(u, arena_fmt(u->a, "tmp/%d.%d.h,S=20", i, n),
                      arena_fmt(u->a, "new/%d.%d.h,S=20", i, n));
            good(quota_add(u->root, 20, 1, &u->why));
            good(quota_check(u->root, false, &limits, 20, 1, &u->why));
        }
        _exit(0);
    }
    while (wait(&status) > 0)
        assert_int_equal(status, 0);
    good(quota_get(u->root, false, &limits, &sum, &u->why));
    /* Each count may be wrong by what the others were about at that moment. */
    assert_in_range(sum.messages, 360, 440);
    user_end(u);
}

TESTS(TEST(texts), TEST(counted), TEST(races))
