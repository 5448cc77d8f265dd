#include "base/hash.h"

#include <stdio.h>

#include "unit/test.h"

#define MANY 5000

static struct str
key(char room[16], int i)
{
    int len = snprintf(room, 16, "key%d", i);

    return (struct str){room, (size_t)len};
}

static void
puts_and_gets(void **state)
{
    struct hash *h = hash_new();
    char room[16];
    static int values[MANY];

    (void)state;
    for (int i = 0; i < MANY; i++) {
        void **place = hash_put(h, key(room, i));

        assert_null(*place);
        *place = &values[i];
    }
    assert_int_equal(hash_count(h), MANY);
    for (int i = 0; i < MANY; i++)
        assert_ptr_equal(hash_get(h, key(room, i)), &values[i]);
    assert_ptr_equal(*hash_put(h, S("key7")), &values[7]);
    assert_int_equal(hash_count(h), MANY);
    assert_null(hash_get(h, S("other")));
    for (int i = 0; i < MANY; i += 2)
        assert_ptr_equal(hash_del(h, key(room, i)), &values[i]);
    assert_null(hash_del(h, S("key0")));
    assert_int_equal(hash_count(h), MANY / 2);
    for (int i = 0; i < MANY; i++)
        assert_ptr_equal(hash_get(h, key(room, i)), i % 2 ? &values[i] : NULL);
    hash_free(h);
    hash_free(NULL);
}

static void
keys(void **state)
{
    struct hash *h = hash_new();
    char text[] = "abc";
    int one, two, three;

    (void)state;
    *hash_put(h, S("a\0b")) = &one;
    *hash_put(h, S("a")) = &two;
    *hash_put(h, S("")) = &three;
    assert_ptr_equal(hash_get(h, S("a\0b")), &one);
    assert_ptr_equal(hash_get(h, S("a")), &two);
    assert_ptr_equal(hash_get(h, str_from(NULL)), &three);
    *hash_put(h, str_from(text)) = &one; /* keys are copied */
    text[0] = 'x';
    assert_ptr_equal(hash_get(h, S("abc")), &one);
    hash_free(h);
}

static void
walks(void **state)
{
    struct hash *h = hash_new();
    char room[16];
    static char seen[MANY];
    size_t pos = 0, count = 0;
    struct str k;
    void *value;

    (void)state;
    assert_false(hash_next(h, &pos, NULL, NULL));
    for (int i = 0; i < MANY; i++)
        *hash_put(h, key(room, i)) = &seen[i];
    pos = 0;
    while (hash_next(h, &pos, &k, &value)) {
        assert_true(str_starts(k, S("key")));
        assert_int_equal(*(char *)value, 0);
        *(char *)value = 1;
        count++;
    }
    assert_int_equal(count, MANY);
    hash_free(h);
}

static void
sums(void **state)
{
    char text[40] = {0};

    (void)state;
    /* Each length hashes all of its bytes. */
    for (size_t len = 1; len < sizeof text; len++) {
        uint64_t before = hash_of((struct str){text, len});

        assert_true(hash_of((struct str){text, len}) == before);
        assert_true(hash_of((struct str){text, len - 1}) != before);
        text[len - 1] = 1;
        assert_true(hash_of((struct str){text, len}) != before);
        text[len - 1] = 0;
    }
    /* What stands in files already: SipHash-1-3 of nothing, key 0. */
    assert_true(hash_lasting(S("")) == UINT64_C(0xd1fba762150c532c));
    assert_true(hash_lasting(S("a")) != hash_of(S("a")));
}

TESTS(TEST(puts_and_gets), TEST(keys), TEST(walks), TEST(sums))
