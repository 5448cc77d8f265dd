#include "conf/edit.h"

#include "unit/test.h"

static const char file[] = "# head\n"
                           "a = 1,\n"
                           "# inside\n"
                           "  2,\n"
                           "\n"
                           "  3\n"
                           "# about b\n"
                           "b=x # y\n"
                           "a = 4";

static const struct {
    enum edit what;
    struct edit_main edits[3];
    const char *want;
    size_t found;
} cases[] = {
    {EDIT_SET,
     {{S("b"), S("z"), 0}},
     "# head\na = 1,\n# inside\n  2,\n\n  3\n# about b\nb = z\na = 4\n",       1},
    {EDIT_SET,
     {{S("a"), S(""), 0}},
     "# head\na = \n# inside\n\n# about b\nb=x # y\na = \n",                   2},
    {EDIT_SET,
     {{S("z"), S("1"), 0}, {S("b"), S("2"), 0}, {S("c"), S("3 4"), 0}},
     "# head\na = 1,\n# inside\n  2,\n\n  3\n# about b\nb = 2\na = 4\n"
     "c = 3 4\nz = 1\n",                                                       0},
    {EDIT_COMMENT,
     {{S("a"), S(""), 0}, {S("none"), S(""), 0}},
     "# head\n#a = 1,\n# inside\n#  2,\n\n#  3\n# about b\nb=x # y\n#a = 4\n", 2},
    {EDIT_REMOVE,
     {{S("a"), S(""), 0}},
     "# head\n# inside\n\n# about b\nb=x # y\n",                               2},
};

static void
main_cf_is_changed(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct edit_main edits[3];
        size_t count = 0;

        memcpy(edits, cases[i].edits, sizeof edits);
        while (count < 3 && edits[count].name.len > 0)
            count++;
        struct str got =
            edit_main(a, str_from(file), cases[i].what, edits, count);

        if (!str_eq(got, str_from(cases[i].want)))
            fail_msg("%zu: got\n%s", i, got.p);
        assert_int_equal(edits[0].found, cases[i].found);
    }
    arena_free(a);
}

static void
empty_file_gets_lines(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct edit_main e = {S("a"), S("b"), 0};

    (void)state;
    assert_str(edit_main(a, S(""), EDIT_SET, &e, 1), S("a = b\n"));
    arena_free(a);
}

TESTS(TEST(main_cf_is_changed), TEST(empty_file_gets_lines))
