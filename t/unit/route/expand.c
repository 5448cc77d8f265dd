/* Virtual aliases become final recipients. */
#include "base/buf.h"
#include "unit/routes.h"

/* "addr=transport:nexthop(orig)" of each, or "TEMP". */
static const char *
expand(struct router *r, const char *addr)
{
    struct rcpt from = {.addr = str_from(addr), .notify = NOTIFY_DELAY};
    struct rcpt *list = NULL;
    size_t count = 0;
    struct buf b = buf_in(site.arena);

    if (route_expand(r, site.arena, S("s@x.org"), &from, &list, &count,
                     &site.why) != OK) {
        assert_int_equal(count, 0);
        return "TEMP";
    }
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(list[i].notify, NOTIFY_DELAY);
        buf_fmt(&b, "%s%.*s=%.*s:%.*s", i ? " " : "", STR(list[i].addr),
                STR(list[i].transport), STR(list[i].nexthop));
        if (list[i].orig.len)
            buf_fmt(&b, "(%.*s)", STR(list[i].orig));
    }
    return buf_str(&b).p;
}

static void
assert_expands(struct router *r, const char *addr, const char *want)
{
    const char *got = expand(r, addr);

    if (strcmp(got, want) != 0)
        fail_msg("%s: got %s", addr, got);
}

static void
aliases(void **state)
{
    static const char *const cases[][2] = {
        {"a@b.org",       "a@b.org=smtp:b.org"                                     },
        {"one@v.org",     "joe@ours.org=local:mx.ours.org(one@v.org)"              },
        {"one+x@v.org",   "joe+x@ours.org=local:mx.ours.org(one+x@v.org)"          },
        {"two@v.org",     "joe@ours.org=local:mx.ours.org(two@v.org) "
                      "a@b.org=smtp:b.org(two@v.org)"         },
        {"nest@v.org",    "joe@ours.org=local:mx.ours.org(nest@v.org) "
                       "a@b.org=smtp:b.org(nest@v.org)"      },
        {"keep@v.org",    "keep@v.org=error:5.1.1 User unknown in virtual alias "
                       "table a@b.org=smtp:b.org(keep@v.org)"},
        {"any@all.org",   "any@b.org=smtp:b.org(any@all.org)"                      },
        {"loop@v.org",    "TEMP"                                                   },
        {"loop3@v.org",   "joe@ours.org=local:mx.ours.org(loop3@v.org)"            },
        {"empty@v.org",   "TEMP"                                                   },
        {"gone@v.org",
         "gone@v.org=error:5.1.1 User unknown in virtual alias table"              },
        {"percent@v.org", "user@far.org=smtp:far.org(percent@v.org)"               },
        {"quoted@v.org",  "john doe@b.org=smtp:b.org(quoted@v.org)"                },
        {"-x@b.org",      "-x@b.org=error:5.1.3 bad address syntax"                },
    };
    struct route_settings s = ours();

    (void)state;
    s.virtual_alias_domains = "v.org, all.org";
    s.virtual_alias_maps =
        "inline:{ {one@v.org=joe} {two@v.org=joe, a@b.org}"
        " {nest@v.org=two@v.org, one@v.org} {keep@v.org=keep@v.org, a@b.org}"
        " {@all.org=@b.org} {loop@v.org=loop2@v.org} {loop2@v.org=loop@v.org}"
        " {loop3@v.org=loop@v.org, joe} {empty@v.org= , }"
        " {percent@v.org=user%far.org@ours.org}"
        " {quoted@v.org=\"john doe\"@b.org} }";
    struct router *r = router_of(&s);

    for (size_t i = 0; i < COUNT(cases); i++)
        assert_expands(r, cases[i][0], cases[i][1]);
}

static void
limits(void **state)
{
    struct route_settings s = ours();

    (void)state;
    s.virtual_alias_maps = "inline:{ {a@v.org=b@v.org} {b@v.org=c@v.org}"
                           " {w@v.org=x1@v.org x2@v.org x3@v.org} }";
    s.virtual_alias_recursion_limit = 2;
    assert_expands(router_of(&s), "a@v.org", "c@v.org=smtp:v.org(a@v.org)");
    s.virtual_alias_recursion_limit = 1;
    assert_expands(router_of(&s), "a@v.org", "TEMP");
    assert_string_equal(site.why.dsn, "4.6.0");
    s.virtual_alias_expansion_limit = 2;
    assert_expands(router_of(&s), "w@v.org", "TEMP");
    s.virtual_alias_expansion_limit = 3;
    assert_string_not_equal(expand(router_of(&s), "w@v.org"), "TEMP");
    s.virtual_alias_address_length_limit = 5;
    assert_expands(router_of(&s), "w@v.org", "TEMP");
}

/* Every address stands for the next, and in the end for a thousand. */
static void
long_chains_and_lists(void **state)
{
    struct route_settings s = ours();
    struct buf b = buf_in(site.arena);
    struct rcpt from = {.addr = S("a0@v.org")}, *list = NULL;
    size_t count = 0;

    (void)state;
    buf_add(&b, S("inline:{"));
    for (int i = 0; i < 900; i++)
        buf_fmt(&b, " a%d@v.org=a%d@v.org", i, i + 1);
    buf_add(&b, S(" {a900@v.org="));
    for (int i = 0; i < 1000; i++)
        buf_fmt(&b, "u%d@b.org,", i);
    buf_add(&b, S("} }"));
    s.virtual_alias_maps = buf_str(&b).p;
    assert_int_equal(route_expand(router_of(&s), site.arena, S(""), &from,
                                  &list, &count, &site.why),
                     OK);
    assert_int_equal(count, 1000);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(text(list[i].addr),
                            arena_fmt(site.arena, "u%zu@b.org", i));
}

TESTS_WITHIN(set_up, NULL, TEST(aliases), TEST(limits),
             TEST(long_chains_and_lists))
