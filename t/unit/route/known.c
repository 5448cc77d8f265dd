/* Which users are known, and what is said of those who are not. */
#include "unit/routes.h"

struct expected {
    const char *addr;
    int code;
    const char *dsn, *text;
};

static void
assert_known(struct router *r, bool sender, const struct expected *e)
{
    int code = -1;
    struct why why = {0};
    enum rc rc = sender ? route_known_sender(r, site.arena, str_from(e->addr),
                                             &code, &why)
                        : route_known(r, site.arena, S("s@x.org"),
                                      str_from(e->addr), &code, &why);

    if (code != e->code || (rc == OK) != (e->code == 0) ||
        strcmp(why.text, e->text) != 0 || strcmp(why.dsn, e->dsn) != 0)
        fail_msg("%s: got %d (rc %d) %s %s", e->addr, code, (int)rc, why.dsn,
                 why.text);
}

static struct route_settings
with_tables(void)
{
    struct route_settings s = ours();

    s.local_recipient_maps = "inline:{ {joe=x} {jane@ours.org=x} }";
    s.virtual_alias_domains = "alias.org, all.org";
    s.virtual_alias_maps =
        "inline:{ {in@alias.org = joe} {@all.org = joe} {v@ours.org=x} }";
    s.virtual_mailbox_domains = "box.org, open.box.org";
    s.virtual_mailbox_maps = "inline:{ {in@box.org=x} }";
    s.relay_domains = "relay.org";
    s.relay_recipient_maps = "inline:{ {in@relay.org=x} }";
    s.relocated_maps = "inline:{ {moved@ours.org=new@place.org} }";
    s.canonical_maps = "inline:{ {c@ours.org=joe@ours.org} }";
    s.sender_canonical_maps = "inline:{ {sc@ours.org=joe@ours.org} }";
    s.transport_maps = "inline:{ {e.org=error:5.7.1 go away} "
                       "{e2.org=error:no mail} {t.org=retry:4.3.2 wait} }";
    return s;
}

static void
recipients(void **state)
{
    static const struct expected cases[] = {
        {"joe@ours.org",              0,   "",      ""                                     },
        {"JOE+x@mx.ours.org",         0,   "",      ""                                     },
        {"jane@ours.org",             0,   "",      ""                                     },
        {"jane@mx.ours.org",          550, "5.1.1",
         "User unknown in local recipient table"                                           },
        {"nobody@ours.org",           550, "5.1.1",
         "User unknown in local recipient table"                                           },
        {"nobody@[127.0.0.1]",        550, "5.1.1",
         "User unknown in local recipient table"                                           },
        {"postmaster@ours.org",       0,   "",      ""                                     },
        {"Mailer-Daemon@ours.org",    0,   "",      ""                                     },
        {"double-bounce@ours.org",    0,   "",      ""                                     },
        {"",                          0,   "",      ""                                     },
        {"v@ours.org",                0,   "",      ""                                     },
        {"c@ours.org",                0,   "",      ""                                     },
        {"sc@ours.org",               550, "5.1.1", "User unknown in local recipient table"},
        {"moved@ours.org",            550, "5.1.6", "User has moved to new@place.org"      },
        {"in@alias.org",              0,   "",      ""                                     },
        {"in+x@alias.org",            0,   "",      ""                                     },
        {"out@alias.org",             550, "5.1.1", "User unknown in virtual alias table"  },
        {"any@all.org",               0,   "",      ""                                     },
        {"in@box.org",                0,   "",      ""                                     },
        {"out@box.org",               550, "5.1.1", "User unknown in virtual mailbox table"},
        {"in@relay.org",              0,   "",      ""                                     },
        {"out@relay.org",             550, "5.1.1",
         "User unknown in relay recipient table"                                           },
        {"any@else.org",              0,   "",      ""                                     },
        {"a@e.org",                   550, "5.7.1", "go away"                              },
        {"a@e2.org",                  550, "5.1.1", "no mail"                              },
        {"a@t.org",                   450, "4.3.2", "wait"                                 },
        {"a@-bad.org",                550, "5.1.3", "bad address syntax"                   },
        {"nobody%ours.org@localhost", 550, "5.1.1",
         "User unknown in local recipient table"                                           },
    };
    struct route_settings s = with_tables();
    struct router *r = router_of(&s);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_known(r, false, &cases[i]);
}

static void
senders(void **state)
{
    static const struct expected cases[] = {
        {"",                0,   "",      ""                                   },
        {"joe@ours.org",    0,   "",      ""                                   },
        {"sc@ours.org",     0,   "",      ""                                   },
        {"nobody@ours.org", 550, "5.1.0",
         "User unknown in local recipient table"                               },
        {"out@alias.org",   550, "5.1.0", "User unknown in virtual alias table"},
        {"any@else.org",    0,   "",      ""                                   },
    };
    struct route_settings s = with_tables();
    struct router *r = router_of(&s);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_known(r, true, &cases[i]);
}

static void
codes_and_texts_by_settings(void **state)
{
    static const struct expected cases[] = {
        {"nobody@ours.org", 450, "4.1.1", "User unknown"},
        {"out@alias.org",   451, "4.1.1", "User unknown"},
        {"out@box.org",     452, "4.1.1", "User unknown"},
        {"out@relay.org",   553, "5.1.1", "User unknown"},
    };
    struct route_settings s = with_tables();

    (void)state;
    s.unknown_local_recipient_reject_code = 450;
    s.unknown_virtual_alias_reject_code = 451;
    s.unknown_virtual_mailbox_reject_code = 452;
    s.unknown_relay_recipient_reject_code = 553;
    s.show_user_unknown_table_name = false;
    struct router *r = router_of(&s);

    for (size_t i = 0; i < COUNT(cases); i++)
        assert_known(r, false, &cases[i]);
}

static void
without_tables_all_are_known(void **state)
{
    static const struct expected cases[] = {
        {"nobody@ours.org", 0, "", ""},
        {"out@box.org",     0, "", ""},
        {"out@relay.org",   0, "", ""},
    };
    struct route_settings s = with_tables();

    (void)state;
    s.local_recipient_maps = s.virtual_mailbox_maps = s.relay_recipient_maps =
        "";
    struct router *r = router_of(&s);

    for (size_t i = 0; i < COUNT(cases); i++)
        assert_known(r, false, &cases[i]);
}

static void
trouble_is_temp(void **state)
{
    static const struct expected failed = {"joe@ours.org", 451, "4.3.0",
                                           "Temporary lookup failure"};
    struct route_settings s = with_tables();

    (void)state;
    s.local_recipient_maps = "fail:x";
    assert_known(router_of(&s), false, &failed);
    s = with_tables();
    s.virtual_alias_maps = "hash:/nonexistent/virtual";
    assert_known(router_of(&s), false, &failed);
    assert_non_null(strstr(site.why.text, "run: postmap"));
}

TESTS_WITHIN(set_up, NULL, TEST(recipients), TEST(senders),
             TEST(codes_and_texts_by_settings),
             TEST(without_tables_all_are_known), TEST(trouble_is_temp))
