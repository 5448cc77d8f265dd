#include "authd/cache.h"

#include <stdio.h>

#include "unit/test.h"

static const struct cache_limits limits = {1 << 20, 1000, 100};
static const struct question pam = {.what = CHECK_PASSWORD,
                                    .source = S("pam"),
                                    .user = S("alice"),
                                    .secret = S("secret"),
                                    .service = S("smtp"),
                                    .address = S("192.0.2.1")};

static void
keeps_for_its_time(void **state)
{
    struct arena *a = arena_new("test", 4 << 20);
    struct cache *c = cache_new(a, &limits);
    const struct answer yes = {.verdict = CHECK_YES,
                               .user = S("alice"),
                               .fields = S("f")},
                        no = {.verdict = CHECK_NO},
                        temp = {.verdict = CHECK_TEMP};
    struct answer got;
    uint8_t key[CACHE_KEY];

    (void)state;
    assert_true(cache_key(c, &pam, S(""), key));
    assert_false(cache_get(c, key, 5, &got));
    cache_put(c, key, pam.what, &temp, 5);
    assert_false(cache_get(c, key, 5, &got));
    cache_put(c, key, pam.what, &yes, 5);
    assert_true(cache_get(c, key, 1004, &got));
    assert_int_equal(got.verdict, CHECK_YES);
    assert_str(got.user, S("alice"));
    assert_str(got.fields, S("f"));
    assert_false(cache_get(c, key, 1005, &got));
    cache_put(c, key, pam.what, &no, 2000);
    assert_true(cache_get(c, key, 2099, &got));
    assert_int_equal(got.verdict, CHECK_NO);
    assert_false(cache_get(c, key, 2100, &got));
    arena_free(a);
}

/* Whatever differs in the question, it is another one. */
static void
all_of_the_question_counts(void **state)
{
    struct arena *a = arena_new("test", 4 << 20);
    struct cache *c = cache_new(a, &limits);
    const struct answer yes = {.verdict = CHECK_YES};
    struct question others[8];
    struct answer got;
    uint8_t key[CACHE_KEY];

    (void)state;
    assert_true(cache_key(c, &pam, S(""), key));
    cache_put(c, key, pam.what, &yes, 0);
    for (size_t i = 0; i < COUNT(others); i++)
        others[i] = pam;
    others[0].what = CHECK_HASH;
    others[1].source = S("shadow");
    others[2].user = S("alicesecret");
    others[2].secret = S("");
    others[3].secret = S("Secret");
    others[4].stored = S("x");
    others[5].service = S("imap");
    others[6].address = S("192.0.2.2");
    for (size_t i = 0; i < COUNT(others); i++) {
        struct str stamp = i == 7 ? S("other file") : S("");

        assert_true(cache_key(c, &others[i], stamp, key));
        assert_false(cache_get(c, key, 0, &got));
    }
    arena_free(a);
}

static void
some_are_not_kept(void **state)
{
    struct arena *a = arena_new("test", 4 << 20);
    const struct cache_limits none = {0, 1000, 1000};
    struct question q = pam;
    struct answer got;
    uint8_t key[CACHE_KEY];

    (void)state;
    struct cache *c = cache_new(a, &none);

    assert_true(cache_key(c, &pam, S(""), key));
    cache_put(c, key, pam.what, &(struct answer){.verdict = CHECK_YES}, 0);
    assert_false(cache_get(c, key, 0, &got));
    q.what = CHECK_TOKEN;
    assert_false(cache_key(cache_new(a, &limits), &q, S(""), key));
    arena_free(a);
}

static void
has_a_fixed_size(void **state)
{
    struct arena *a = arena_new("test", 4 << 20);
    struct cache *c = cache_new(a, &limits);
    const struct answer yes = {.verdict = CHECK_YES};
    struct answer got;
    uint8_t key[CACHE_KEY];
    int kept = 0;

    (void)state;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 10000; i++) {
            struct question q = pam;
            char name[16];

            q.user =
                (struct str){name, (size_t)snprintf(name, 16, "user%d", i)};
            assert_true(cache_key(c, &q, S(""), key));
            if (round == 0)
                cache_put(c, key, q.what, &yes, 0);
            else
                kept += cache_get(c, key, 0, &got);
        }
    assert_in_range(kept, 1000, 3000);
    arena_free(a);
}

TESTS(TEST(keeps_for_its_time), TEST(all_of_the_question_counts),
      TEST(some_are_not_kept), TEST(has_a_fixed_size))
