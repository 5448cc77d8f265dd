#include "imapd/pattern.h"

#include "unit/test.h"

static const struct {
    const char *pattern, *name;
    bool match;
} cases[] = {
    {"*",        "a/b/c",     true },
    {"%",        "a/b",       false},
    {"%",        "ab",        true },
    {"a/%",      "a/b",       true },
    {"a/%",      "a/b/c",     false},
    {"a*",       "a/b/c",     true },
    {"*c",       "a/b/c",     true },
    {"%c",       "a/b/c",     false},
    {"%/%/c",    "a/b/c",     true },
    {"%*",       "a/b/c",     true },
    {"*%",       "a/b/c",     true },
    {"a%%%b",    "axxb",      true },
    {"a%b",      "ab",        true },
    {"inbox",    "INBOX",     true },
    {"inbox/x",  "INBOX/x",   true },
    {"inbox/X",  "INBOX/x",   false},
    {"inbox*",   "INBOXES",   false},
    {"Sent",     "sent",      false},
    {"",         "a",         false},
    {"a",        "ab",        false},
    {"ab",       "a",         false},
    {"*a*a*a*b", "aaaaaaaaa", false},
    {"*a%a*a*a", "aaaaaaaaa", true },
};

static void
test_patterns(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str pattern = pattern_make(a, str_from(cases[i].pattern));

        if (pattern_match(pattern, str_from(cases[i].name), '/') !=
            cases[i].match)
            fail_msg("%s and %s", cases[i].pattern, cases[i].name);
    }
    arena_free(a);
}

static void
test_long_ones(void **state)
{
    struct arena *a = arena_new("test", 4 << 20);
    char text[4096];

    (void)state;
    memset(text, '*', sizeof text);
    assert_true(str_eq(pattern_make(a, (struct str){text, 4096}), S("*")));
    memset(text, 'x', sizeof text);
    assert_int_equal(pattern_make(a, (struct str){text, 4096}).len, 0);
    assert_false(pattern_match(S("x*"), (struct str){text, 4096}, '/'));
    for (size_t i = 0; i < 2000; i += 2)
        text[i] = '*';
    assert_false(pattern_match(pattern_make(a, (struct str){text, 2000}),
                               S("xxxxx"), '/'));
    arena_free(a);
}

TESTS(TEST(test_patterns), TEST(test_long_ones))
