/* Addresses are completed and replaced; the results are Postfix 3.7's. */
#include "unit/routes.h"

static void
completion(void **state)
{
    static const char *const cases[][2] = {
        {"foo",                "foo@ours.org"      },
        {"foo@bar",            "foo@bar.ours.org"  },
        {"foo@bar.com",        "foo@bar.com"       },
        {"",                   ""                  },
        {"@",                  ""                  },
        {"a!b",                "b@a.ours.org"      },
        {"a!b!c",              "b!c@a.ours.org"    },
        {"a%b",                "a@b.ours.org"      },
        {"a%b%c",              "a%b@c.ours.org"    },
        {"a!b%c",              "b%c@a.ours.org"    },
        {"a!b@c.d",            "a!b@c.d"           },
        {"foo@bar.",           "foo@bar"           },
        {"foo@bar..",          "foo@bar.."         },
        {"foo@",               "foo@"              },
        {"foo.",               "foo.@ours.org"     },
        {"a b",                "a b@ours.org"      },
        {"a b!c",              "a b!c@ours.org"    },
        {"@x:foo",             "foo@ours.org"      },
        {"@x,@y:foo@bar",      "foo@bar.ours.org"  },
        {"foo@[1.2.3.4]",      "foo@[1.2.3.4]"     },
        {"user%host@ours.org", "user%host@ours.org"},
        {"foo@bar.com.",       "foo@bar.com"       },
        {"a@b@c",              "a@b@c.ours.org"    },
        {"foo@.",              "foo@."             },
        {"foo@b_r",            "foo@b_r.ours.org"  },
    };
    struct route_settings s = ours();
    struct router *r = router_of(&s);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_str(route_complete(r, site.arena, str_from(cases[i][0])),
                   str_from(cases[i][1]));
}

static void
completion_by_settings(void **state)
{
    struct route_settings s = ours();

    (void)state;
    s.append_at_myorigin = s.append_dot_mydomain = false;
    s.swap_bangpath = s.allow_percent_hack = false;
    struct router *r = router_of(&s);
    static const char *const same[] = {"foo", "foo@bar", "a!b", "a%b"};

    for (size_t i = 0; i < COUNT(same); i++)
        assert_str(route_complete(r, site.arena, str_from(same[i])),
                   str_from(same[i]));
}

/* "address" in role gives want, "TEMP" where it fails. */
static void
assert_rewritten(struct router *r, const char *addr, enum route_role role,
                 const char *want)
{
    struct str out;
    enum rc rc =
        route_rewrite(r, site.arena, str_from(addr), role, &out, &site.why);
    const char *got = rc == OK ? text(out) : "TEMP";

    if (strcmp(got, want) != 0)
        fail_msg("%s in role %d: got %s, not %s", addr, (int)role, got, want);
}

static void
canonical_tables(void **state)
{
    static const struct {
        const char *addr;
        enum route_role role;
        const char *want;
    } cases[] = {
        {"joe",               ROUTE_ENVELOPE_SENDER, "joe.smith@ours.org"  },
        {"joe+x@ours.org",    ROUTE_ENVELOPE_SENDER, "joe.smith+x@ours.org"},
        {"joe@mx.ours.org",   ROUTE_HEADER_RCPT,     "joe.smith@ours.org"  },
        {"joe@elsewhere.org", ROUTE_HEADER_RCPT,     "joe@elsewhere.org"   },
        {"u+e@old.org",       ROUTE_ENVELOPE_RCPT,   "u+e@new.org"         },
        {"one@chain.org",     ROUTE_ENVELOPE_RCPT,   "three@chain.org"     },
        {"a@loop.org",        ROUTE_ENVELOPE_RCPT,   "TEMP"                },
        {"a@self.org",        ROUTE_ENVELOPE_RCPT,   "A@self.org"          },
        {"s@role.org",        ROUTE_ENVELOPE_SENDER, "sender@role.org"     },
        {"s@role.org",        ROUTE_HEADER_SENDER,   "sender@role.org"     },
        {"s@role.org",        ROUTE_ENVELOPE_RCPT,   "rcpt@role.org"       },
        {"s@role.org",        ROUTE_HEADER_RCPT,     "s@role.org"          },
        {"many@x.org",        ROUTE_ENVELOPE_RCPT,   "first@x.org"         },
        {"none@x.org",        ROUTE_ENVELOPE_RCPT,   "TEMP"                },
        {"a b@x.org",         ROUTE_ENVELOPE_RCPT,   "c d@x.org"           },
        {"named@x.org",       ROUTE_ENVELOPE_RCPT,   "real@x.org"          },
        {"",                  ROUTE_ENVELOPE_SENDER, ""                    },
        {"s@role.org",        ROUTE_REMOTE_SENDER,   "s@role.org"          },
        {"joe",               ROUTE_REMOTE_RCPT,     "joe"                 },
    };
    struct route_settings s = ours();

    (void)state;
    s.canonical_maps =
        "inline:{ {joe = joe.smith@ours.org} {@old.org = @new.org}"
        " {one@chain.org=two@chain.org} {two@chain.org=three@chain.org}"
        " {a@loop.org=b@loop.org} {b@loop.org=a@loop.org}"
        " {a@self.org = A@self.org} {many@x.org=first@x.org, second@x.org}"
        " {none@x.org = ,} {\"a b\"@x.org = \"c d\"@x.org}"
        " {named@x.org = Real Name <real@x.org>} }";
    s.sender_canonical_maps = "inline:{ {s@role.org = sender@role.org} }";
    s.recipient_canonical_maps = "inline:{ {s@role.org = rcpt@role.org} }";
    s.recipient_canonical_classes = "envelope_recipient";
    struct router *r = router_of(&s);

    for (size_t i = 0; i < COUNT(cases); i++)
        assert_rewritten(r, cases[i].addr, cases[i].role, cases[i].want);
}

static void
extensions_stay_behind_unless_told(void **state)
{
    struct route_settings s = ours();

    (void)state;
    s.propagate_unmatched_extensions = "virtual";
    s.canonical_maps = "inline:{ {joe@x.org = jim@x.org} {@y.org = @z.org} }";
    struct router *r = router_of(&s);

    assert_rewritten(r, "joe+e@x.org", ROUTE_ENVELOPE_RCPT, "jim@x.org");
    assert_rewritten(r, "joe+e@y.org", ROUTE_ENVELOPE_RCPT, "joe+e@z.org");
}

static void
remote_headers(void **state)
{
    struct route_settings s = ours();

    (void)state;
    s.remote_header_rewrite_domain = "domain.invalid";
    s.canonical_maps = "inline:{ {joe@x.org = jim@x.org} }";
    struct router *r = router_of(&s);

    assert_rewritten(r, "foo", ROUTE_REMOTE_SENDER, "foo@domain.invalid");
    assert_rewritten(r, "foo@bar", ROUTE_REMOTE_RCPT, "foo@bar.domain.invalid");
    assert_rewritten(r, "joe@x.org", ROUTE_REMOTE_RCPT, "jim@x.org");
}

static void
masquerading(void **state)
{
    static const struct {
        const char *addr;
        enum route_role role;
        const char *want;
    } cases[] = {
        {"joe@a.b.ours.org",     ROUTE_ENVELOPE_SENDER, "joe@ours.org"       },
        {"joe@a.B.Ours.ORG",     ROUTE_ENVELOPE_SENDER, "joe@Ours.ORG"       },
        {"joe@a.b.ours.org",     ROUTE_ENVELOPE_RCPT,   "joe@a.b.ours.org"   },
        {"joe@a.b.ours.org",     ROUTE_HEADER_RCPT,     "joe@ours.org"       },
        {"joe@ours.org",         ROUTE_HEADER_SENDER,   "joe@ours.org"       },
        {"joe@yours.org",        ROUTE_HEADER_SENDER,   "joe@yours.org"      },
        {"joe@x.keep.ours.org",  ROUTE_HEADER_SENDER,   "joe@x.keep.ours.org"},
        {"joe@x.first.ours.org", ROUTE_HEADER_SENDER,   "joe@first.ours.org" },
        {"Root@a.ours.org",      ROUTE_HEADER_SENDER,   "Root@a.ours.org"    },
    };
    struct route_settings s = ours();

    (void)state;
    s.masquerade_domains = "first.ours.org !keep.ours.org ours.org";
    s.masquerade_exceptions = "root";
    struct router *r = router_of(&s);

    for (size_t i = 0; i < COUNT(cases); i++)
        assert_rewritten(r, cases[i].addr, cases[i].role, cases[i].want);
}

static void
copies(void **state)
{
    struct route_settings s = ours();
    struct str list[2];
    size_t count;

    (void)state;
    s.always_bcc = "archive";
    s.sender_bcc_maps = "inline:{ {@x.org = boss@x.org} }";
    s.recipient_bcc_maps = "inline:{ {joe@ours.org = spy} }";
    struct router *r = router_of(&s);

    assert_int_equal(route_bcc(r, site.arena, S("a@x.org"),
                               ROUTE_ENVELOPE_SENDER, list, &count, &site.why),
                     OK);
    assert_int_equal(count, 2);
    assert_str(list[0], S("archive@ours.org"));
    assert_str(list[1], S("boss@x.org"));
    assert_int_equal(route_bcc(r, site.arena, S(""), ROUTE_ENVELOPE_SENDER,
                               list, &count, &site.why),
                     OK);
    assert_int_equal(count, 1);
    assert_int_equal(route_bcc(r, site.arena, S("joe+x@ours.org"),
                               ROUTE_ENVELOPE_RCPT, list, &count, &site.why),
                     OK);
    assert_int_equal(count, 1);
    assert_str(list[0], S("spy@ours.org"));
}

TESTS_WITHIN(set_up, NULL, TEST(completion), TEST(completion_by_settings),
             TEST(canonical_tables), TEST(extensions_stay_behind_unless_told),
             TEST(remote_headers), TEST(masquerading), TEST(copies))
