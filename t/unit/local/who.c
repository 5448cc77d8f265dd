#include "local/who.h"

#include "unit/test.h"

static const struct {
    const char *addr, *delimiters, *user, *extension, *domain;
    char delimiter;
} cases[] = {
    {"alice@example.org",           "",   "alice",           "",    "example.org", '\0'},
    {"Alice@Example.Org",           "+",  "alice",           "",    "Example.Org", '+' },
    {"alice+x@example.org",         "+",  "alice",           "x",   "example.org", '+' },
    {"alice+X+y@example.org",       "+",  "alice",           "x+y", "example.org", '+' },
    {"alice-x+y@example.org",       "+-", "alice",           "x+y", "example.org", '-' },
    {"alice+../../etc@example.org", "+",  "alice+../../etc", "",    "example.org",
     '+'                                                                               },
    {"owner-list@example.org",      "-",  "owner-list",      "",    "example.org", '-' },
    {"alice",                       "+",  "alice",           "",    "",            '+' },
    {"a@b@example.org",             "+",  "a@b",             "",    "example.org", '+' },
};

static void
parts(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct who w =
            who_parse(a, str_from(cases[i].addr), cases[i].delimiters);

        assert_str(w.user, str_from(cases[i].user));
        assert_str(w.extension, str_from(cases[i].extension));
        assert_str(w.domain, str_from(cases[i].domain));
        assert_int_equal(w.delimiter[0], cases[i].delimiter);
    }
    arena_free(a);
}

#define PLAIN "abcdefghijklmnopqrstuvwxyz/.+"

static const struct {
    const char *addr, *text, *filter, *want;
} expansions[] = {
    {"alice+x@example.org",   "$home/.forward$recipient_delimiter$extension",
     PLAIN,                                                                              "/home/alice/.forward+x"},
    {"alice@example.org",     "$home/.forward${recipient_delimiter}${extension}",
     PLAIN,                                                                              "/home/alice/.forward+" },
    {"alice@example.org",     "${extension?x}${extension:y}",                     PLAIN, "y"                     },
    {"alice+z@example.org",   "${extension?{x}:{y}}",                             PLAIN, "x"                     },
    {"alice@example.org",     "/$user/$local/$domain/$shell",                     PLAIN,
     "/alice/alice/example.org//bin/sh"                                                                          },
    {"a;b`c$(d)@example.org", "$user",                                            PLAIN, "a_b_c__d_"             },
    {"$home@example.org",     "$user",                                            PLAIN, "_home"                 },
    {"$home@example.org",     "$user@other.example",                              NULL,  "$home@other.example"   },
    {"alice@example.org",     "$recipient",                                       NULL,  "alice@example.org"     },
    {"alice@example.org",     "$nothing.x",                                       NULL,  ".x"                    },
    {"alice@example.org",     "${home",                                           NULL,  NULL                    },
};

static void
names(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(expansions); i++) {
        struct who w = who_parse(a, str_from(expansions[i].addr), "+");
        struct who_names n = {.who = &w,
                              .home = "/home/alice",
                              .shell = "/bin/sh",
                              .filter = expansions[i].filter};
        struct why why;
        struct str out;
        enum rc rc = who_expand(a, expansions[i].text, &n, &out, &why);

        if (expansions[i].want == NULL) {
            assert_int_equal(rc, PERM);
            continue;
        }
        assert_int_equal(rc, OK);
        assert_str(out, str_from(expansions[i].want));
        assert_int_equal(n.used_extension,
                         strstr(expansions[i].text, "extension") != NULL);
    }
    arena_free(a);
}

TESTS(TEST(parts), TEST(names))
