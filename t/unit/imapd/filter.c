#include "imapd/filter.h"

#include "unit/test.h"

/* RFC 5465 6, RFC 7377 2.2. */
static const struct {
    enum filter filter;
    const char *name;
    unsigned bits, kind;
    bool has;
} cases[] = {
    {FILTER_SELECTED,         "a",     0,                 SPACE_PRIVATE, false},
    {FILTER_SELECTED_DELAYED, "a",     0,                 SPACE_PRIVATE, false},
    {FILTER_INBOXES,          "x",     0,                 SPACE_PRIVATE, true },
    {FILTER_INBOXES,          "x",     0,                 SPACE_SHARED,  false},
    {FILTER_PERSONAL,         "x",     0,                 SPACE_PRIVATE, true },
    {FILTER_PERSONAL,         "x",     0,                 SPACE_PUBLIC,  false},
    {FILTER_SUBSCRIBED,       "x",     FOLDER_SUBSCRIBED, SPACE_SHARED,  true },
    {FILTER_SUBSCRIBED,       "a",     FOLDER_SELECTABLE, SPACE_PRIVATE, false},
    {FILTER_MAILBOXES,        "a",     0,                 SPACE_PRIVATE, true },
    {FILTER_MAILBOXES,        "b/c",   0,                 SPACE_PUBLIC,  true },
    {FILTER_MAILBOXES,        "a/x",   0,                 SPACE_PRIVATE, false},
    {FILTER_MAILBOXES,        "b",     0,                 SPACE_PRIVATE, false},
    {FILTER_SUBTREE,          "a",     0,                 SPACE_PRIVATE, true },
    {FILTER_SUBTREE,          "a/x",   0,                 SPACE_PRIVATE, true },
    {FILTER_SUBTREE,          "a/x/y", 0,                 SPACE_PRIVATE, true },
    {FILTER_SUBTREE,          "ax",    0,                 SPACE_PRIVATE, false},
    {FILTER_SUBTREE,          "b/c/x", 0,                 SPACE_PRIVATE, true },
    {FILTER_SUBTREE,          "b",     0,                 SPACE_PRIVATE, false},
    {FILTER_SUBTREE_ONE,      "a",     0,                 SPACE_PRIVATE, true },
    {FILTER_SUBTREE_ONE,      "a/x",   0,                 SPACE_PRIVATE, true },
    {FILTER_SUBTREE_ONE,      "a/x/y", 0,                 SPACE_PRIVATE, false},
    {FILTER_SUBTREE_ONE,      "b/cc",  0,                 SPACE_PRIVATE, false},
};

static void
filters(void **state)
{
    struct str names[] = {S("a"), S("b/c")};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct filter_names f = {cases[i].filter, '/', names, 2};
        const struct folder folder = {
            .name = str_from(cases[i].name),
            .bits = cases[i].bits,
        };

        if (filter_has(&f, &folder, cases[i].kind) != cases[i].has)
            fail_msg("case %zu: %s", i, cases[i].name);
    }
}

TESTS(TEST(filters))
