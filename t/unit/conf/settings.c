#include "conf/settings.h"

#include "unit/test.h"

static const char text[] = "# first\n"
                           "a = 1\n"
                           "b=2\n"
                           "   3\n"
                           "\t\n"
                           "# between\n"
                           "  # too\n"
                           "\t4  \n"
                           "\n"
                           "a =\n"
                           "c = x # no comment\r\n"
                           "d = = y";

static void
lines_are_joined(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct settings *s = settings_new(a);
    struct why why;

    (void)state;
    assert_int_equal(settings_parse(s, str_from(text), "f", &why), OK);
    assert_int_equal(settings_count(s), 4);
    assert_str(settings_get(s, S("a"))->value, S(""));
    assert_int_equal(settings_get(s, S("a"))->line, 10);
    assert_int_equal(settings_get(s, S("a"))->replaced->line, 2);
    assert_str(settings_get(s, S("b"))->value, S("2   3\t4"));
    assert_int_equal(settings_get(s, S("b"))->line, 3);
    assert_str(settings_get(s, S("c"))->value, S("x # no comment"));
    assert_str(settings_get(s, S("d"))->value, S("= y"));
    assert_null(settings_get(s, S("e")));
    settings_free(s);
    arena_free(a);
}

static void
broken_lines_are_named(void **state)
{
    static const struct {
        const char *text, *complaint;
    } cases[] = {
        {"a = 1\nb c = 2\n", "f, line 2: missing '=' after attribute name"},
        {"\n= 2\n",          "f, line 2: missing attribute name"          },
        {"a\n",              "f, line 1: missing '='"                     },
    };
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct settings *s = settings_new(a);
        struct why why;

        assert_int_equal(settings_parse(s, str_from(cases[i].text), "f", &why),
                         PERM);
        if (strstr(why.text, cases[i].complaint) == NULL)
            fail_msg("%s: %s", cases[i].text, why.text);
        settings_free(s);
    }
    arena_free(a);
}

static void
copies_are_apart(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct settings *s = settings_new(a), *copy;

    (void)state;
    settings_put(s, S("a"), S("1"), "f", 1);
    copy = settings_copy(a, s);
    settings_put(copy, S("a"), S("2"), "f", 2);
    settings_put(copy, S("b"), S("3"), "f", 3);
    assert_str(settings_get(s, S("a"))->value, S("1"));
    assert_null(settings_get(s, S("b")));
    assert_str(settings_get(copy, S("a"))->value, S("2"));
    settings_free(s);
    settings_free(copy);
    arena_free(a);
}

TESTS(TEST(lines_are_joined), TEST(broken_lines_are_named),
      TEST(copies_are_apart))
