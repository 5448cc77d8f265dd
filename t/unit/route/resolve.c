/* Where addresses go. The table is what Postfix 3.7 answers for the same
 * settings, but for addresses it calls wrong without saying where they go. */
#include "unit/routes.h"

static struct route_settings
with_tables(void)
{
    struct route_settings s = ours();

    s.transport_maps =
        "inline:{ {t1.org = smtp:[gw.t1.org]:26} {t2.org = :nexthop2}"
        " {t3.org=tr3:} {t4.org = :} {t5.org = error:no mail here}"
        " {t6.org=error:} {t7.org=retry:} {.sub.org=smtp:parent}"
        " {u@full.org=tr8:x} {u+e@full.org=tr9:y} {local.org=foo}"
        " {user@ours.org=lmtp:unix:/x/y} {vmail.org=discard:silently}"
        " {va.org=smtp:never} }";
    s.virtual_alias_domains = "va.org";
    s.virtual_alias_maps = "inline:{ {x@va.org = joe} }";
    s.virtual_mailbox_domains = "vmail.org, vm2.org";
    s.relay_domains = "relay.org";
    s.relocated_maps = "inline:{ {moved@ours.org = new@place.org} }";
    s.sender_dependent_relayhost_maps =
        "inline:{ {s1@x.org = [rh1]:587} {@dom.org = rh2}"
        " {dunno@dom.org = DUNNO} {<>=nullrh} }";
    s.sender_dependent_default_transport_maps =
        "inline:{ {s2@x.org = slow} {s3@x.org = slow:hop}"
        " {s4@x.org= error:not you} }";
    return s;
}

struct expected {
    const char *sender, *addr, *as;
    enum route_class class;
    bool routed;
    const char *transport, *nexthop;
};

static void
assert_route(struct router *r, const struct expected *e)
{
    struct route route;

    assert_int_equal(route_resolve(r, site.arena, str_from(e->sender),
                                   str_from(e->addr), &route, &site.why),
                     OK);
    if (!str_eq(route.addr, str_from(e->as)) || route.class != e->class ||
        route.routed != e->routed ||
        !str_eq(route.transport, str_from(e->transport)) ||
        !str_eq(route.nexthop, str_from(e->nexthop)))
        fail_msg("<%s> from <%s>: got <%.*s> class %d routed %d %.*s:%.*s",
                 e->addr, e->sender, STR(route.addr), (int)route.class,
                 route.routed, STR(route.transport), STR(route.nexthop));
}

static void
as_postfix_does(void **state)
{
    static const struct expected cases[] = {
        {"",               "joe@ours.org",          "joe@ours.org",              CLASS_LOCAL,           false, "local",
         "mx.ours.org"                                                                                                                                           },
        {"",               "joe@OURS.org",          "joe@OURS.org",              CLASS_LOCAL,           false, "local",
         "mx.ours.org"                                                                                                                                           },
        {"",               "joe",                   "joe@mx.ours.org",           CLASS_LOCAL,           false, "local",
         "mx.ours.org"                                                                                                                                           },
        {"",               "joe@",                  "joe@",                      CLASS_DEFAULT,         false, "error",
         "5.1.3 bad address syntax"                                                                                                                              },
        {"",               "@ours.org",             "MAILER-DAEMON@ours.org",    CLASS_LOCAL,           false, "local",
         "mx.ours.org"                                                                                                                                           },
        {"",               "",                      "MAILER-DAEMON@mx.ours.org", CLASS_LOCAL,           false, "local",
         "mx.ours.org"                                                                                                                                           },
        {"",               "joe@ours.org.",         "joe@ours.org",              CLASS_LOCAL,           false, "local",
         "mx.ours.org"                                                                                                                                           },
        {"",               "a%remote.org@ours.org", "a@remote.org",              CLASS_DEFAULT,         false,
         "smtp",                                                                                                          "nullrh"                               },
        {"",               "remote.org!a@ours.org", "a@remote.org",              CLASS_DEFAULT,         false,
         "smtp",                                                                                                          "nullrh"                               },
        {"",               "a%b%c.d@ours.org",      "a%b@c.d",                   CLASS_DEFAULT,         true,  "smtp",
         "nullrh"                                                                                                                                                },
        {"",               "a@remote.org@ours.org", "a@remote.org",              CLASS_DEFAULT,         false,
         "smtp",                                                                                                          "nullrh"                               },
        {"",               "a@ours.org@remote.org", "a@ours.org@remote.org",     CLASS_DEFAULT,
         true,                                                                                                 "smtp",    "nullrh"                               },
        {"",               "a%x@remote.org",        "a%x@remote.org",            CLASS_DEFAULT,         true,  "smtp",
         "nullrh"                                                                                                                                                },
        {"",               "x!a@remote.org",        "x!a@remote.org",            CLASS_DEFAULT,         true,  "smtp",
         "nullrh"                                                                                                                                                },
        {"",               "a@x@relay.org",         "a@x@relay.org",             CLASS_RELAY,           true,  "relay",
         "nullrh"                                                                                                                                                },
        {"",               "a@relay.org",           "a@relay.org",               CLASS_RELAY,           false, "relay",
         "nullrh"                                                                                                                                                },
        {"",               "a@sub.relay.org",       "a@sub.relay.org",           CLASS_RELAY,           false, "relay",
         "nullrh"                                                                                                                                                },
        {"",               "a@va.org",              "a@va.org",                  CLASS_VIRTUAL_ALIAS,   false, "error",
         "5.1.1 User unknown in virtual alias table"                                                                                                             },
        {"",               "x@va.org",              "x@va.org",                  CLASS_VIRTUAL_ALIAS,   false, "error",
         "5.1.1 User unknown in virtual alias table"                                                                                                             },
        {"",               "a@vm2.org",             "a@vm2.org",                 CLASS_VIRTUAL_MAILBOX, false, "virtual",
         "vm2.org"                                                                                                                                               },
        {"",               "a@vmail.org",           "a@vmail.org",               CLASS_VIRTUAL_MAILBOX, false,
         "discard",                                                                                                       "silently"                             },
        {"",               "a@[10.9.8.7]",          "a@[10.9.8.7]",              CLASS_LOCAL,           false, "local",
         "mx.ours.org"                                                                                                                                           },
        {"",               "a@[127.0.0.1]",         "a@[127.0.0.1]",             CLASS_LOCAL,           false, "local",
         "mx.ours.org"                                                                                                                                           },
        {"",               "a@[1.2.3.4]",           "a@[1.2.3.4]",               CLASS_DEFAULT,         false, "smtp",
         "nullrh"                                                                                                                                                },
        {"",               "a@1.2.3.4",             "a@1.2.3.4",                 CLASS_DEFAULT,         false, "error",
         "5.1.3 bad address syntax"                                                                                                                              },
        {"",               "a@[x]",                 "a@[x]",                     CLASS_DEFAULT,         false, "error",
         "5.1.3 bad address syntax"                                                                                                                              },
        {"",               "a@bad_host",            "a@bad_host",                CLASS_DEFAULT,         false, "smtp",
         "nullrh"                                                                                                                                                },
        {"",               "a@-x.org",              "a@-x.org",                  CLASS_DEFAULT,         false, "error",
         "5.1.3 bad address syntax"                                                                                                                              },
        {"",               "a@x..org",              "a@x..org",                  CLASS_DEFAULT,         false, "error",
         "5.1.3 bad address syntax"                                                                                                                              },
        {"",               "-a@remote.org",         "-a@remote.org",             CLASS_DEFAULT,         false, "error",
         "5.1.3 bad address syntax"                                                                                                                              },
        {"",               "moved@ours.org",        "moved@ours.org",            CLASS_LOCAL,           false, "error",
         "5.1.6 User has moved to new@place.org"                                                                                                                 },
        {"",               "moved+x@ours.org",      "moved+x@ours.org",          CLASS_LOCAL,           false,
         "error",                                                                                                         "5.1.6 User has moved to new@place.org"},
        {"",               "a@t1.org",              "a@t1.org",                  CLASS_DEFAULT,         false, "smtp",
         "[gw.t1.org]:26"                                                                                                                                        },
        {"",               "a@t2.org",              "a@t2.org",                  CLASS_DEFAULT,         false, "smtp",    "nexthop2"                             },
        {"",               "a@t3.org",              "a@t3.org",                  CLASS_DEFAULT,         false, "tr3",     "t3.org"                               },
        {"",               "a@t4.org",              "a@t4.org",                  CLASS_DEFAULT,         false, "smtp",    "nullrh"                               },
        {"",               "a@t5.org",              "a@t5.org",                  CLASS_DEFAULT,         false, "error",
         "no mail here"                                                                                                                                          },
        {"",               "a@t6.org",              "a@t6.org",                  CLASS_DEFAULT,         false, "error",
         "Address is undeliverable"                                                                                                                              },
        {"",               "a@t7.org",              "a@t7.org",                  CLASS_DEFAULT,         false, "retry",
         "Address is undeliverable"                                                                                                                              },
        {"",               "a@x.sub.org",           "a@x.sub.org",               CLASS_DEFAULT,         false, "smtp",
         "parent"                                                                                                                                                },
        {"",               "a@sub.org",             "a@sub.org",                 CLASS_DEFAULT,         false, "smtp",    "nullrh"                               },
        {"",               "a@y.x.sub.org",         "a@y.x.sub.org",             CLASS_DEFAULT,         false, "smtp",
         "parent"                                                                                                                                                },
        {"",               "u@full.org",            "u@full.org",                CLASS_DEFAULT,         false, "tr8",     "x"                                    },
        {"",               "u+e@full.org",          "u+e@full.org",              CLASS_DEFAULT,         false, "tr9",     "y"                                    },
        {"",               "u+f@full.org",          "u+f@full.org",              CLASS_DEFAULT,         false, "tr8",     "x"                                    },
        {"",               "v@full.org",            "v@full.org",                CLASS_DEFAULT,         false, "smtp",
         "nullrh"                                                                                                                                                },
        {"",               "a@local.org",           "a@local.org",               CLASS_DEFAULT,         false, "foo",
         "local.org"                                                                                                                                             },
        {"",               "user@ours.org",         "user@ours.org",             CLASS_LOCAL,           false, "lmtp",
         "unix:/x/y"                                                                                                                                             },
        {"",               "user+x@ours.org",       "user+x@ours.org",           CLASS_LOCAL,           false, "lmtp",
         "unix:/x/y"                                                                                                                                             },
        {"s1@x.org",       "a@r.org",               "a@r.org",                   CLASS_DEFAULT,         false, "smtp",
         "[rh1]:587"                                                                                                                                             },
        {"s1@x.org",       "a@relay.org",           "a@relay.org",               CLASS_RELAY,           false, "relay",
         "[rh1]:587"                                                                                                                                             },
        {"s1@x.org",       "a@ours.org",            "a@ours.org",                CLASS_LOCAL,           false, "local",
         "mx.ours.org"                                                                                                                                           },
        {"any@dom.org",    "a@r.org",               "a@r.org",                   CLASS_DEFAULT,         false, "smtp",
         "rh2"                                                                                                                                                   },
        {"dunno@dom.org",  "a@r.org",               "a@r.org",                   CLASS_DEFAULT,         false, "smtp",
         "r.org"                                                                                                                                                 },
        {"other@else.org", "a@r.org",               "a@r.org",                   CLASS_DEFAULT,         false, "smtp",
         "r.org"                                                                                                                                                 },
        {"s2@x.org",       "a@r.org",               "a@r.org",                   CLASS_DEFAULT,         false, "slow",
         "r.org"                                                                                                                                                 },
        {"s3@x.org",       "a@r.org",               "a@r.org",                   CLASS_DEFAULT,         false, "slow",    "hop"                                  },
        {"s4@x.org",       "a@r.org",               "a@r.org",                   CLASS_DEFAULT,         false, "error",
         "not you"                                                                                                                                               },
        {"s2@x.org",       "a@relay.org",           "a@relay.org",               CLASS_RELAY,           false, "relay",
         "relay.org"                                                                                                                                             },
        {"S1+ext@x.org",   "a@r.org",               "a@r.org",                   CLASS_DEFAULT,         false, "smtp",
         "[rh1]:587"                                                                                                                                             },
        {"z@z.z",          "A@Remote.ORG",          "A@Remote.ORG",              CLASS_DEFAULT,         false, "smtp",
         "Remote.ORG"                                                                                                                                            },
        {"z@z.z",          "a b@ours.org",          "a b@ours.org",              CLASS_LOCAL,           false, "local",
         "mx.ours.org"                                                                                                                                           },
        {"z@z.z",          "a!b c@ours.org",        "b c@a.ours.org",            CLASS_DEFAULT,         false,
         "smtp",                                                                                                          "a.ours.org"                           },
        {"z@z.z",          "a%b.c d@ours.org",      "a@b.c d",                   CLASS_DEFAULT,         false, "error",
         "5.1.3 bad address syntax"                                                                                                                              },
        {"z@z.z",          "a@[IPv6:::1]",          "a@[IPv6:::1]",              CLASS_DEFAULT,         false, "smtp",
         "[IPv6:::1]"                                                                                                                                            },
        {"z@z.z",          "a@localhost",           "a@localhost",               CLASS_LOCAL,           false, "local",
         "mx.ours.org"                                                                                                                                           },
        {"z@z.z",          "a@mx.ours.org",         "a@mx.ours.org",             CLASS_LOCAL,           false, "local",
         "mx.ours.org"                                                                                                                                           },
        {"z@z.z",          "a@T2.org",              "a@T2.org",                  CLASS_DEFAULT,         false, "smtp",
         "nexthop2"                                                                                                                                              },
        {"",               "a@x.org@",              "a@x.org",                   CLASS_DEFAULT,         false, "smtp",    "nullrh"                               },
        {"",               "!a",                    "a@",                        CLASS_DEFAULT,         false, "error",
         "5.1.3 bad address syntax"                                                                                                                              },
        {"",               "a!",                    "@a.ours.org",               CLASS_DEFAULT,         false, "smtp",    "nullrh"                               },
        {"",               "%",                     "MAILER-DAEMON@",            CLASS_DEFAULT,         false, "error",
         "5.1.3 bad address syntax"                                                                                                                              },
        {"",               "a%",                    "a@",                        CLASS_DEFAULT,         false, "error",
         "5.1.3 bad address syntax"                                                                                                                              },
        {"",               "@x.org",                "@x.org",                    CLASS_DEFAULT,         false, "smtp",    "nullrh"                               },
        {"z@z.z",          "a@r.org",               "a@r.org",                   CLASS_DEFAULT,         false, "smtp",    "r.org"                                },
        {"z@z.z",          "a@t3.org",              "a@t3.org",                  CLASS_DEFAULT,         false, "tr3",
         "t3.org"                                                                                                                                                },
        {"s1@x.org",       "a@t4.org",              "a@t4.org",                  CLASS_DEFAULT,         false, "smtp",
         "[rh1]:587"                                                                                                                                             },
        {"s1@x.org",       "a@t2.org",              "a@t2.org",                  CLASS_DEFAULT,         false, "smtp",
         "nexthop2"                                                                                                                                              },
        {"s3@x.org",       "a@t4.org",              "a@t4.org",                  CLASS_DEFAULT,         false, "slow",
         "hop"                                                                                                                                                   },
    };
    struct route_settings s = with_tables();
    struct router *r = router_of(&s);

    (void)state;
    assert_string_equal(site.why.text, "");
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_route(r, &cases[i]);
}

static void
by_settings(void **state)
{
    static const struct expected cases[] = {
        {"", "joe@1.2.3.4",      "joe@[1.2.3.4]",    CLASS_DEFAULT,       false, "smtp",
         "[gw]:25"                                                                             },
        {"", "joe@10.9.8.7",     "joe@[10.9.8.7]",   CLASS_LOCAL,         false, "local",
         "[10.9.8.7]"                                                                          },
        {"", "joe@",             "joe@mx.ours.org",  CLASS_LOCAL,         false, "local",
         "mx.ours.org"                                                                         },
        {"", "a@x.org@ours.org", "a@x.org@ours.org", CLASS_LOCAL,         true,  "local",
         "ours.org"                                                                            },
        {"", "a%x.org@ours.org", "a%x.org@ours.org", CLASS_LOCAL,         true,  "local",
         "ours.org"                                                                            },
        {"", "-a@ours.org",      "-a@ours.org",      CLASS_LOCAL,         false, "local",
         "ours.org"                                                                            },
        {"", "a@x.relay.org",    "a@x.relay.org",    CLASS_DEFAULT,       false, "smtp",
         "[gw]:25"                                                                             },
        {"", "a@b.sub.org",      "a@b.sub.org",      CLASS_DEFAULT,       false, "tr",    "hop"},
        {"", "a@other.org",      "a@other.org",      CLASS_DEFAULT,       false, "smtp",
         "[gw]:25"                                                                             },
        {"", "gone@ours.org",    "gone@ours.org",    CLASS_LOCAL,         false, "error",
         "5.2.1 he left"                                                                       },
        {"", "a@alias.org",      "a@alias.org",      CLASS_VIRTUAL_ALIAS, false, "error",
         "5.1.1 User unknown"                                                                  },
        {"", "a@any.where",      "a@any.where",      CLASS_DEFAULT,       false, "star",  "x"  },
    };
    struct route_settings s = ours();

    (void)state;
    s.resolve_numeric_domain = s.resolve_null_domain = s.allow_min_user = true;
    s.resolve_dequoted_address = s.allow_percent_hack = false;
    s.relocated_prefix_enable = s.show_user_unknown_table_name = false;
    s.local_transport = "local";
    s.relayhost = "[gw]:25";
    s.relay_domains = "relay.org";
    s.virtual_alias_domains = "alias.org";
    s.parent_domain_matches_subdomains = "transport_maps";
    s.relocated_maps = "inline:{ {gone@ours.org = 5.2.1 he left} }";
    s.transport_maps = "inline:{ {sub.org = tr:hop} }";
    struct router *r = router_of(&s);

    for (size_t i = 0; i < COUNT(cases) - 1; i++)
        assert_route(r, &cases[i]);
    s.transport_maps = "inline:{ {* = star:x} }";
    assert_route(router_of(&s), &cases[COUNT(cases) - 1]);
}

static void
trouble_with_a_table_is_temp(void **state)
{
    struct route route;

    (void)state;
    for (int i = 0; i < 7; i++) {
        struct route_settings s = ours();
        const char **fields[] = {
            &s.mydestination,
            &s.virtual_alias_domains,
            &s.virtual_mailbox_domains,
            &s.relay_domains,
            &s.transport_maps,
            &s.relocated_maps,
            &s.sender_dependent_relayhost_maps,
        };

        *fields[i] = "fail:test";
        assert_int_equal(route_resolve(router_of(&s), site.arena, S("a@b.org"),
                                       S("c@d.org"), &route, &site.why),
                         TEMP);
    }
}

static void
a_null_transport_is_temp(void **state)
{
    struct route_settings s = ours();
    struct route route;

    (void)state;
    s.default_transport = "";
    assert_int_equal(route_resolve(router_of(&s), site.arena, S(""),
                                   S("c@d.org"), &route, &site.why),
                     TEMP);
}

/* However many operators: it ends, and is bounded. */
static void
long_chains_end(void **state)
{
    struct route_settings s = ours();
    struct router *r = router_of(&s);
    struct route route;
    char addr[2000] = "a";

    (void)state;
    while (strlen(addr) < 1800)
        strcat(addr, "%ours.org");
    strcat(addr, "@ours.org");
    assert_int_equal(
        route_resolve(r, site.arena, S(""), str_from(addr), &route, &site.why),
        OK);
    assert_str(route.addr, S("a@ours.org"));
}

TESTS_WITHIN(set_up, NULL, TEST(as_postfix_does), TEST(by_settings),
             TEST(trouble_with_a_table_is_temp), TEST(a_null_transport_is_temp),
             TEST(long_chains_end))
