/* Lists of tables, and the orders in which they are searched. */
#include "base/buf.h"
#include "unit/tables.h"

static const char *
text(struct str s)
{
    return s.p ? arena_cstr(tables.arena, s) : "-";
}

static void
the_first_answer_counts(void **state)
{
    struct maps *m =
        maps_open("inline:{a=1}, inline:{ {a = 2}, b=3 }\n\tfail:x "
                  "unionmap:{static:4,static:5}",
                  NULL);
    struct str value;
    struct why why;

    (void)state;
    assert_int_equal(maps_get(m, S("A"), tables.arena, &value, &why), OK);
    assert_str(value, S("1"));
    assert_int_equal(maps_get(m, S("b"), tables.arena, &value, &why), OK);
    assert_str(value, S("3"));
    assert_int_equal(maps_get(m, S("c"), tables.arena, &value, &why), TEMP);
    assert_string_equal(why.text, "Temporary lookup failure");
    assert_false(maps_empty(m));
    m = maps_open(" , ", NULL);
    assert_true(maps_empty(m));
    assert_int_equal(maps_get(m, S("c"), tables.arena, &value, &why), OK);
    assert_null(value.p);
}

static void
an_empty_value_is_an_error(void **state)
{
    struct maps *m = maps_open("inline:{ {a = } }", NULL);
    struct str value;
    struct why why;

    (void)state;
    assert_int_equal(maps_get(m, S("a"), tables.arena, &value, &why), TEMP);
    assert_logged("key a: empty string result is not allowed");
}

#define OWN                                                                    \
    {                                                                          \
        .delimiters = "+", .own_domain = true, .at_domain = true               \
    }
#define FAR                                                                    \
    {                                                                          \
        .delimiters = "+-", .at_domain = true                                  \
    }
#define RULE                                                                   \
    {                                                                          \
        .delimiters = "+", .parents = true, .user_at = true                    \
    }
#define DOTS                                                                   \
    {                                                                          \
        .delimiters = "", .parents = true, .dot_parents = true,                \
        .user_at = true                                                        \
    }

/* The value is the key that was found. */
static void
addresses(void **state)
{
    static const struct {
        const char *table, *address;
        struct map_order order;
        const char *value, *extension;
    } cases[] = {
        {"u+e@d=1,u@d=2,u+e=3,u=4,@d=5", "u+e@d",     OWN,  "1", "-" },
        {"u@d=2,u+e=3,u=4,@d=5",         "U+E@D",     OWN,  "2", "+E"},
        {"u+e=3,u=4,@d=5",               "u+e@d",     OWN,  "3", "-" },
        {"u=4,@d=5",                     "u+e@d",     OWN,  "4", "+e"},
        {"@d=5",                         "u+e@d",     OWN,  "5", "-" },
        {"d=6",                          "u+e@d",     OWN,  "-", "-" },
        {"u=4",                          "u@d",       FAR,  "-", "-" },
        {"u@d=2",                        "u-e@d",     FAR,  "2", "-e"},
        {"owner@d=2,@d=5",               "owner-e@d", FAR,  "5", "-" },
        {"u=4",                          "u",         OWN,  "4", "-" },
        {"u=4",                          "u+x",       OWN,  "4", "+x"},
        {"\"a b\"@d=q",                  "a b@d",     FAR,  "q", "-" },
        {"a b@d=p,\"a b\"@d=q",          "a b@d",     FAR,  "q", "-" },
        {"a b@d=p",                      "a b@d",     FAR,  "p", "-" },
        {"\"a b\"@d=q",                  "a b+c@d",   FAR,  "q", "+c"},
        {"\"a b\"=q",                    "a b+c@d",   OWN,  "q", "+c"},
        {"x.d.e=1,d.e=2,e=3,u@=4",       "u+f@x.d.e", RULE, "1", "-" },
        {"d.e=2,e=3,u@=4",               "u+f@x.d.e", RULE, "2", "-" },
        {"e=3,u@=4",                     "u+f@x.d.e", RULE, "3", "-" },
        {"u+f@=0,u@=4",                  "u+f@x.d.e", RULE, "0", "-" },
        {"u@=4",                         "u+f@x.d.e", RULE, "4", "+f"},
        {"d.e=2",                        "u@x.d.e",   DOTS, "-", "-" },
        {".d.e=2",                       "u@x.d.e",   DOTS, "2", "-" },
        {".e=2",                         "u@x.d.e",   DOTS, "2", "-" },
        {".d.e=2",                       "u@d.e",     DOTS, "-", "-" },
        {"x=1",                          "",          OWN,  "-", "-" },
    };
    struct map_found found;
    struct why why;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf b = buf_in(tables.arena);
        struct str rest = str_from(cases[i].table), one;

        /* Keys may have blanks: one pair of braces each. */
        buf_add(&b, S("inline:{"));
        while (rest.len > 0) {
            str_cut(&rest, ',', &one);
            buf_fmt(&b, "{%.*s}", STR(one));
            buf_addc(&b, ' ');
        }
        buf_addc(&b, '}');
        struct maps *m = maps_open(buf_str(&b).p, &why);

        assert_string_equal(why.text, "");
        assert_int_equal(maps_get_address(m, str_from(cases[i].address),
                                          &cases[i].order, tables.arena, &found,
                                          &why),
                         OK);
        if (strcmp(text(found.value), cases[i].value) != 0 ||
            strcmp(text(found.extension), cases[i].extension) != 0)
            fail_msg("%s in %s: got %s and %s", cases[i].address,
                     cases[i].table, text(found.value), text(found.extension));
    }
}

static void
patterns_see_whole_addresses(void **state)
{
    static const struct map_order own = OWN;
    struct maps *m =
        maps_open("pcre:{ {/^u@d$/ pattern} }, inline:{ u=user }", NULL);
    struct map_found found;
    struct why why;

    (void)state;
    assert_int_equal(
        maps_get_address(m, S("u+x@d"), &own, tables.arena, &found, &why), OK);
    assert_str(found.value, S("user"));
    assert_int_equal(
        maps_get_address(m, S("u@d"), &own, tables.arena, &found, &why), OK);
    assert_str(found.value, S("pattern"));
}

static void
domains_and_networks(void **state)
{
    struct maps *m = maps_open("inline:{b.c=1,.c=2,10.1=3,2001:db8=4}", NULL);
    static const struct {
        const char *key;
        bool dots, network;
        const char *want;
    } cases[] = {
        {"b.c",             false, false, "1"},
        {"a.b.c",           false, false, "1"},
        {"a.b.c",           true,  false, "2"},
        {"c",               true,  false, "-"},
        {"10.1.2.3",        false, true,  "3"},
        {"10.1",            false, true,  "3"},
        {"10.2.2.3",        false, true,  "-"},
        {"2001:db8:1:2::3", false, true,  "4"},
        {"2001:db9::",      false, true,  "-"},
    };
    struct str value;
    struct why why;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str key = str_from(cases[i].key);
        enum rc rc = cases[i].network
                         ? maps_get_network(m, key, tables.arena, &value, &why)
                         : maps_get_domain(m, key, cases[i].dots, tables.arena,
                                           &value, &why);

        assert_int_equal(rc, OK);
        if (strcmp(text(value), cases[i].want) != 0)
            fail_msg("%s: got %s", cases[i].key, text(value));
    }
}

static void
results_are_applied(void **state)
{
    static const char *const cases[][4] = {
        {"u@d",   "v@e",   "",   "v@e"    },
        {"u+x@d", "v@e",   "+x", "v+x@e"  },
        {"u+x@d", "@e",    "",   "u+x@e"  },
        {"u+x@d", "v",     "+x", "v+x"    },
        {"u@d",   "v@e@f", "+y", "v@e+y@f"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_str(map_apply(tables.arena, str_from(cases[i][0]),
                             str_from(cases[i][1]), str_from(cases[i][2])),
                   str_from(cases[i][3]));
}

TESTS_WITHIN(set_up, tear_down, TEST(the_first_answer_counts),
             TEST(an_empty_value_is_an_error), TEST(addresses),
             TEST(patterns_see_whole_addresses), TEST(domains_and_networks),
             TEST(results_are_applied))
