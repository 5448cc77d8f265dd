/* Lists of patterns: mynetworks, mydestination, relay_domains ... */
#include "unit/tables.h"

enum way { WORD, DOMAIN, HOST };

static const char *
match(enum way way, const char *list, bool subdomains, const char *name,
      const char *addr)
{
    struct match_list *l = match_open("mylist", list, subdomains, NULL);
    bool found;
    struct why why;
    enum rc rc = way == WORD     ? match_word(l, str_from(name), &found, &why)
                 : way == DOMAIN ? match_domain(l, str_from(name), &found, &why)
                                 : match_host(l, str_from(name), str_from(addr),
                                              &found, &why);

    return rc != OK ? "TEMP" : found ? "yes" : "no";
}

static void
lists(void **state)
{
    static const struct {
        enum way way;
        const char *list;
        bool subdomains;
        const char *name, *addr, *want;
    } cases[] = {
        {WORD,   "a.org, b.org",           false, "B.ORG",      "",            "yes" },
        {WORD,   "a.org b.org",            true,  "x.a.org",    "",            "no"  },
        {WORD,   ".a.org",                 false, "x.a.org",    "",            "no"  },
        {WORD,   "[10.0.0.1]",             false, "[10.0.0.1]", "",            "yes" },
        {WORD,   "!a, static:all",         false, "a",          "",            "no"  },
        {WORD,   "!a, static:all",         false, "b",          "",            "yes" },
        {WORD,   "inline:{a.org=x}",       false, "x.a.org",    "",            "no"  },
        {WORD,   "inline:{a.org=x}",       false, "A.org",      "",            "yes" },
        {WORD,   "",                       false, "a",          "",            "no"  },
        {WORD,   "fail:x",                 false, "a",          "",            "TEMP"},
        {WORD,   "a, fail:x",              false, "a",          "",            "yes" },
        {DOMAIN, "a.org",                  true,  "x.a.org",    "",            "yes" },
        {DOMAIN, "a.org",                  true,  "xa.org",     "",            "no"  },
        {DOMAIN, "a.org",                  false, "x.a.org",    "",            "no"  },
        {DOMAIN, ".a.org",                 false, "x.y.a.org",  "",            "yes" },
        {DOMAIN, ".a.org",                 false, "a.org",      "",            "no"  },
        {DOMAIN, "!x.a.org, a.org",        true,  "x.a.org",    "",            "no"  },
        {DOMAIN, "!x.a.org, a.org",        true,  "y.a.org",    "",            "yes" },
        {DOMAIN, "inline:{a.org=x}",       true,  "x.y.a.org",  "",            "yes" },
        {DOMAIN, "inline:{a.org=x}",       false, "x.y.a.org",  "",            "no"  },
        {DOMAIN, "inline:{.a.org=x}",      false, "x.y.a.org",  "",            "yes" },
        {DOMAIN, "pcre:{{/^a\\.org$/ x}}", true,  "x.a.org",    "",            "no"  },
        {HOST,   "127.0.0.0/8, [::1]/128", true,  "h",          "127.1.2.3",   "yes" },
        {HOST,   "127.0.0.0/8, [::1]/128", true,  "h",          "::1",         "yes" },
        {HOST,   "127.0.0.0/8, [::1]",     true,  "h",          "::1",         "yes" },
        {HOST,   "127.0.0.0/8, [::1]/128", true,  "h",          "::2",         "no"  },
        {HOST,   "!10.1.1.1, 10.0.0.0/8",  true,  "h",          "10.1.1.1",    "no"  },
        {HOST,   "!10.1.1.1, 10.0.0.0/8",  true,  "h",          "10.1.1.2",    "yes" },
        {HOST,   "192.0.2.7",              true,  "h",          "192.0.2.7",   "yes" },
        {HOST,   "a.org",                  true,  "x.a.org",    "1.2.3.4",     "yes" },
        {HOST,   "a.org",                  true,  "unknown",    "1.2.3.4",     "no"  },
        {HOST,   "cidr:{{10.0.0.0/8 x}}",  true,  "h",          "10.2.3.4",    "yes" },
        {HOST,   "10.0.0.0/8, 10.1.2.3/8", true,  "h",          "10.9.9.9",    "yes" },
        {HOST,   "10.0.0.0/8, 10.1.2.3/8", true,  "h",          "11.9.9.9",    "TEMP"},
        {HOST,   "2001:db8::/32",          true,  "h",          "2001:DB8::7", "yes" },
        {HOST,   "a.org",                  true,  "",           "1.2.3.4",     "no"  },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *got =
            match(cases[i].way, cases[i].list, cases[i].subdomains,
                  cases[i].name, cases[i].addr);

        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s, %s in %s: %s", cases[i].name, cases[i].addr,
                     cases[i].list, got);
    }
}

static void
files_hold_more_patterns(void **state)
{
    const char *list;

    (void)state;
    put_file("inner", "c.org\n!e.org\n");
    put_file("list",
             arena_fmt(tables.arena, "# domains\na.org\n !b.org, %s\nd.org\n",
                       path("inner")));
    list = path("list");
    assert_string_equal(match(WORD, list, false, "a.org", ""), "yes");
    assert_string_equal(match(WORD, list, false, "b.org", ""), "no");
    assert_string_equal(match(WORD, list, false, "c.org", ""), "yes");
    assert_string_equal(match(WORD, list, false, "d.org", ""), "yes");
    list = arena_fmt(tables.arena, "!%s, static:all", list);
    assert_string_equal(match(WORD, list, false, "a.org", ""), "no");
    assert_string_equal(match(WORD, list, false, "e.org", ""), "yes");
    assert_string_equal(match(WORD, list, false, "x.org", ""), "yes");
}

static void
trouble_is_told_once_and_answers_temp(void **state)
{
    struct why why;

    (void)state;
    logged();
    match_open("mynetworks", path("nothing"), true, &why);
    assert_non_null(strstr(why.text, "No such file or directory"));
    assert_logged("parameter mynetworks: open ");
    match_open("mynetworks", "10.1.2.3/8", true, &why);
    assert_logged("parameter mynetworks: non-null host address bits");
    assert_string_equal(match(WORD, path("nothing"), true, "a", ""), "TEMP");

    put_file("loop", path("loop"));
    assert_string_equal(match(WORD, path("loop"), true, "a", ""), "TEMP");
    assert_logged("too many files in one another");
}

TESTS_WITHIN(set_up, tear_down, TEST(lists), TEST(files_hold_more_patterns),
             TEST(trouble_is_told_once_and_answers_temp))
