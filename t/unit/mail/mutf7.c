#include "mail/mutf7.h"

#include "unit/test.h"

static const struct {
    const char *utf8, *mutf7;
} cases[] = {
    {"INBOX",                                     "INBOX"                          },
    {"",                                          ""                               },
    {"a&b",                                       "a&-b"                           },
    {"Entw\xc3\xbcrfe",                           "Entw&APw-rfe"                   },
    {"~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/"
     "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"},
    {"\xf0\x9f\x93\xac x",                        "&2D3c7A- x"                     },
    {"\xc3\xa4&\xc3\xb6",                         "&AOQ-&-&APY-"                   },
};

static void
both_ways(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf b = buf_in(a), c = buf_in(a);

        assert_true(mutf7_encode(&b, str_from(cases[i].utf8)));
        assert_str(buf_str(&b), str_from(cases[i].mutf7));
        assert_true(mutf7_decode(&c, str_from(cases[i].mutf7)));
        assert_str(buf_str(&c), str_from(cases[i].utf8));
    }
    arena_free(a);
}

static void
refused(void **state)
{
    static const char *const bad[] = {
        "&",        "&APw",  "Entw\xc3\xbc", "&AGE-", "&APw-&APw-", "&2D3-",
        "&3KzYPQ-", "&APx-", "a\tb",         "&A!-",  "&AAA-",
    };
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct buf b = buf_in(a);

        if (mutf7_decode(&b, str_from(bad[i])))
            fail_msg("%s", bad[i]);
    }

    struct buf b = buf_in(a);

    assert_false(mutf7_encode(&b, S("\xff")));
    assert_false(mutf7_encode(&b, S("a\nb")));
    arena_free(a);
}

TESTS(TEST(both_ways), TEST(refused))
