#include "mail/addrlist.h"

#include "mail/address.h"
#include "unit/test.h"

/* want: "addr|name|group" of each, "; " between them; "!" before what is not
 * sound. */
static const struct {
    const char *body, *want;
} cases[] = {
    {"a@example.org",               "a@example.org||"                   },
    {" a@example.org ",             "a@example.org||"                   },
    {"<a@example.org>",             "a@example.org||"                   },
    {"Ana <a@example.org>",         "a@example.org|Ana|"                },
    {"Ana Maria  <a@example.org>",  "a@example.org|Ana Maria|"          },
    {"\"Doe, John\" <j@x>, b@y",    "j@x|\"Doe, John\"|; b@y||"         },
    {"a@x (Ana)",                   "a@x|Ana|"                          },
    {"<a@x> (Ana)",                 "a@x|Ana|"                          },
    {"(Ana (the (one))) a@x",       "a@x|Ana (the (one))|"              },
    {"a@x, ,, b@y,",                "a@x||; b@y||"                      },
    {"a@x; b@y",                    "a@x||; b@y||"                      },
    {"friends: a@x, B <b@y>; c@z",  "a@x||friends; b@y|B|friends; c@z||"},
    {"undisclosed-recipients:;",    ""                                  },
    {"A Group:, a@x;",              "a@x||A Group"                      },
    {"\"john doe\"@x",              "john doe@x||"                      },
    {"\"a\\\"b\"@x",                "a\"b@x||"                          },
    {"\"a@b\"@x",                   "a@b@x||"                           },
    {"\"a\".b@x",                   "a.b@x||"                           },
    {"a @ x . org",                 "a@x.org||"                         },
    {"a(c)@(d)x(e).org",            "a@x.org|c|"                        },
    {"<@one,@two:a@three>",         "a@three||"                         },
    {"Ana\r\n <a@x>,\r\n\tb@y",     "a@x|Ana|; b@y||"                   },
    {"=?utf-8?q?Doe,_J=2E?= <a@x>", "a@x|=?utf-8?q?Doe,_J=2E?=|"        },
    {"=?utf-8?Q?=41<b?= <a@x>",     "a@x|=?utf-8?Q?=41<b?=|"            },
    {"a@x <a@y>",                   "a@y|a@x|"                          },
    {"Ana a@x",                     "a@x|Ana|"                          },
    {"a@x b@y",                     "a@x||; b@y||"                      },
    {"a@x\r\n b@y c@z",             "a@x||; b@y||; c@z||"               },
    {"<a@x> <b@y>",                 "a@x||; b@y||"                      },
    {"<a@x, b@y",                   "a@x||; b@y||"                      },
    {"A <a@x, B <b@y>",             "a@x|A|; b@y|B|"                    },
    {"a@x>",                        "a@x||"                             },
    {"<<a@x>>",                     "a@x||"                             },
    {"<>",                          ""                                  },
    {"<>, a@x",                     "a@x||"                             },
    {"",                            ""                                  },
    {",;:<>()",                     ""                                  },
    {"root",                        "root||"                            },
    {"root, daemon",                "root||; daemon||"                  },
    {"you and me",                  "!you and me||"                     },
    {"\"Doe <a@x>",                 "!Doe <a@x>||"                      },
    {"Ana <a@x",                    "a@x|Ana|"                          },
    {"(never closed a@x",           ""                                  },
    {"mailto:a@x",                  "a@x||mailto"                       },
    {"a@[192.0.2.1]",               "a@[192.0.2.1]||"                   },
    {"a@[IPv6:2001:db8::1], b@x",   "a@[IPv6:2001:db8::1]||; b@x||"     },
    {"a@b@c",                       "!a@b@c||"                          },
    {"a@",                          "!a@||"                             },
    {"@x",                          "!@x||"                             },
    {"a@x.",                        "a@x||"                             },
    {"a@-._",                       "a@-._||"                           },
    {"a@x..y",                      "!a@x..y||"                         },
    {"a!b@x",                       "a!b@x||"                           },
    {"j\xc3\xbcrg@x",               "j\xc3\xbcrg@x||"                   },
    {"j\xfcrg@x",                   "!j\xfcrg@x||"                      },
    {"a\x01@x",                     "!a\x01@x||"                        },
    {"a\\@b@x",                     "a@b@x||"                           },
    {"<a b@x>",                     "b@x||"                             },
};

static struct str
listed(struct arena *a, struct str body)
{
    struct addrlist l = {.rest = body};
    struct addrlist_entry e;
    struct buf b = buf_in(a);

    while (addrlist_next(a, &l, &e))
        buf_fmt(&b, "%s%s%.*s|%.*s|%.*s", b.len ? "; " : "", e.sound ? "" : "!",
                STR(e.addr), STR(e.name), STR(e.group));
    return buf_str(&b);
}

static void
lists(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str got = listed(a, str_from(cases[i].body));

        if (!str_eq(got, str_from(cases[i].want)))
            fail_msg("%s:\n got  %s\n want %s", cases[i].body, got.p,
                     cases[i].want);
    }
    arena_free(a);
}

static void
names(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    assert_str(addrlist_name(a, S("\"Doe, \\\"J\\\"\"\r\n John")),
               S("Doe, \"J\" John"));
    assert_str(addrlist_name(a, S(" Ana ")), S("Ana"));
    arena_free(a);
}

/* Completes local addresses; "fail@x" fails. */
static enum rc
complete(void *self, struct arena *a, struct str addr, struct str *out,
         struct why *why)
{
    ++*(int *)self;
    if (str_eq(addr, S("fail@x")))
        return fail(why, "4.3.0", "no answer");
    *out = str_find(addr, '@') < 0
               ? str_from(arena_fmt(a, "%.*s@new.example", STR(addr)))
               : addr;
    return OK;
}

static void
rewrites(void **state)
{
    static const struct {
        const char *body, *want;
    } changes[] = {
        {"root",                                       "root@new.example"                         },
        {" Root <root>,\r\n\t\"a b\"(x), c@d (C)\r\n",
         " Root <root@new.example>,\r\n\t\"a b\"@new.example(x), c@d (C)\r\n"                     },
        {"g: root , <@a:b>;",                          "g: root@new.example , <@a:b@new.example>;"},
        {"a@b, you and me",                            "a@b, you and me"                          },
    };
    struct arena *a = arena_new("test", 1 << 20);
    struct str out;
    struct why why;
    int calls = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(changes); i++) {
        assert_int_equal(addrlist_rewrite(a, str_from(changes[i].body),
                                          complete, &calls, &out, &why),
                         OK);
        assert_str(out, str_from(changes[i].want));
    }
    assert_int_equal(calls, 7);

    struct str same = S("Ana <a@b>");

    assert_int_equal(addrlist_rewrite(a, same, complete, &calls, &out, &why),
                     OK);
    assert_ptr_equal(out.p, same.p);
    assert_int_equal(
        addrlist_rewrite(a, S("a, fail@x"), complete, &calls, &out, &why),
        TEMP);
    arena_free(a);
}

/* Groups as they begin and end, and routes: "<name" begins, ">" ends. */
static void
groups(void **state)
{
    static const struct {
        const char *body, *want;
    } rows[] = {
        {"undisclosed:;",          "<undisclosed >"      },
        {"a@b, g: c@d, e@f;, h@i", "a@b <g c@d e@f > h@i"},
        {"g:a@b; x@y",             "<g a@b > x@y"        },
        {"g: a@b",                 "<g a@b >"            },
        {"g: h: a@b;",             "<g > <h a@b >"       },
        {"g:",                     "<g >"                },
        {"\"a b\": N <c@d>;",      "<\"a b\" c@d >"      },
        {":;",                     ""                    },
        {"<@a,@b:c@d>",            "[@a,@b]c@d"          },
        {"N <@a:c@d>, e@f",        "[@a]c@d e@f"         },
    };
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct addrlist l = {.rest = str_from(rows[i].body), .groups = true};
        struct addrlist_entry e;
        struct buf b = buf_in(a);

        while (addrlist_next(a, &l, &e)) {
            if (b.len > 0)
                buf_addc(&b, ' ');
            if (e.kind == ADDRLIST_GROUP)
                buf_fmt(&b, "<%.*s", STR(e.group));
            else if (e.kind == ADDRLIST_GROUP_END)
                buf_addc(&b, '>');
            else if (e.route.len > 0)
                buf_fmt(&b, "[%.*s]%.*s", STR(e.route), STR(e.addr));
            else
                buf_add(&b, e.addr);
        }
        if (!str_eq(buf_str(&b), str_from(rows[i].want)))
            fail_msg("%s: got %s", rows[i].body, b.p);
    }
    arena_free(a);
}

/* Input made to be slow: each is done in no time, in bounded memory. */
static void
hostile(void **state)
{
    static const char *const units[] = {
        "<", "\"", "(", "<a,", "<\",", "a@a ",   "a ",   ",",
        ":", "=?", "[", "\\",  "a@a<", "=?a?b?", "<@a,", "@a:"};

    (void)state;
    for (size_t i = 0; i < COUNT(units); i++) {
        struct arena *a = arena_new("test", 8 << 20);
        struct buf b = buf_in(a);

        while (b.len < 200000)
            buf_add(&b, str_from(units[i]));

        struct addrlist l = {.rest = buf_str(&b)};
        struct addrlist_entry e;
        size_t n = 0;

        while (addrlist_next(a, &l, &e))
            n++;
        assert_true(n <= b.len);
        arena_free(a);
    }
}

TESTS(TEST(lists), TEST(names), TEST(rewrites), TEST(groups), TEST(hostile))
