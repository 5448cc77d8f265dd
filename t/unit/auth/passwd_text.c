#include "auth/passwd_text.h"

#include "unit/test.h"

#define TEXT                                                                   \
    "# users\n\ntim:{PLAIN}a:1:1::/h::x=1 y\nann:b\n# the end\ntim:second"

static void
set(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct passwd_user u;
    struct str out;
    struct why why;

    (void)state;
    assert_true(passwd_text_find(S(TEXT), S("tim"), &u));
    assert_str(u.password, S("{PLAIN}a"));
    u.password = S("{PLAIN}new");
    assert_int_equal(passwd_text_set(a, S(TEXT), &u, &out, &why), OK);
    assert_str(out, S("# users\n\ntim:{PLAIN}new:1:1::/h::x=1 y\nann:b\n"
                      "# the end\ntim:second\n"));
    u = (struct passwd_user){.name = S("bob"), .password = S("c")};
    assert_int_equal(passwd_text_set(a, S("ann:b"), &u, &out, &why), OK);
    assert_str(out, S("ann:b\nbob:c::::::\n"));
    u.password = S("a:b");
    assert_int_equal(passwd_text_set(a, S(TEXT), &u, &out, &why), PERM);
    arena_free(a);
}

static void
removed(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct str out;

    (void)state;
    assert_true(passwd_text_remove(a, S(TEXT), S("tim"), &out));
    assert_str(out, S("# users\n\nann:b\n# the end\n"));
    assert_false(passwd_text_remove(a, S(TEXT), S("ti"), &out));
    arena_free(a);
}

static void
extra(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct str none = {NULL, 0};

    (void)state;
    assert_str(passwd_extra_set(a, S("x=1 y"), S("x"), S("2")), S("x=2 y"));
    assert_str(passwd_extra_set(a, S("x=1 y"), S("z"), none), S("x=1 y z"));
    assert_str(passwd_extra_set(a, S(""), S("z"), S("")), S("z="));
    assert_str(passwd_extra_set(a, S("x=1 x=2"), S("x"), S("3")), S("x=3"));
    assert_str(passwd_extra_remove(a, S("x=1 y x"), S("x")), S("y"));
    assert_str(passwd_extra_remove(a, S("y"), S("x")), S("y"));
    arena_free(a);
}

TESTS(TEST(set), TEST(removed), TEST(extra))
