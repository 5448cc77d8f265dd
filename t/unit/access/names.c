#include "access/names.h"

#include "unit/test.h"

static const struct names plain = {
    {"", 0},
    '/'
};
static const struct names dots = {
    {"", 0},
    '.'
};
static const struct names courier = {
    {"INBOX.", 6},
    '.'
};
static const struct names mail = {
    {"Mail/", 5},
    '/'
};

/* What a client says, how that is written, and what it is in the home; NULL:
 * it is in no namespace. */
static const struct {
    const struct names *names;
    const char *sent, *canonical, *inner;
} cases[] = {
    {&plain,   "Work",          "Work",          "Work"       },
    {&plain,   "inbox",         "INBOX",         "INBOX"      },
    {&plain,   "inbox/x",       "INBOX/x",       "INBOX/x"    },
    {&plain,   "inbox.x",       "inbox.x",       "inbox.x"    },
    {&plain,   "inboxes",       "inboxes",       "inboxes"    },
    {&plain,   "",              "",              ""           },
    {&dots,    "inbox.x",       "INBOX.x",       "INBOX.x"    },
    {&dots,    "INBOX.INBOX",   "INBOX.INBOX",   "INBOX.INBOX"},
    {&courier, "InBox",         "INBOX",         "INBOX"      },
    {&courier, "INBOX.Work.a",  "INBOX.Work.a",  "Work.a"     },
    {&courier, "inbox.Work",    "INBOX.Work",    "Work"       },
    {&courier, "INBOX.work",    "INBOX.work",    "work"       },
    {&courier, "INBOX.INBOX",   "INBOX",         "INBOX"      },
    {&courier, "inbox.inbox",   "INBOX",         "INBOX"      },
    {&courier, "INBOX.INBOX.a", "INBOX.INBOX.a", "INBOX.a"    },
    {&courier, "INBOX.",        "INBOX.",        ""           },
    {&courier, "Work",          "Work",          NULL         },
    {&courier, "INBOX/Work",    "INBOX/Work",    NULL         },
    {&courier, "INBOXes",       "INBOXes",       NULL         },
    {&mail,    "inbox",         "INBOX",         "INBOX"      },
    {&mail,    "inbox/x",       "INBOX/x",       NULL         },
    {&mail,    "Mail/x",        "Mail/x",        "x"          },
    {&mail,    "mail/x",        "mail/x",        NULL         },
    {&mail,    "Mail/inbox",    "INBOX",         "INBOX"      },
    {&mail,    "Mail",          "Mail",          NULL         },
};

static void
what_clients_say(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct names *n = cases[i].names;
        struct str name = names_canonical(n, a, str_from(cases[i].sent)), inner;
        bool has = names_inner(n, name, &inner);

        if (!str_eq(name, str_from(cases[i].canonical)) ||
            has != (cases[i].inner != NULL) ||
            (has && !str_eq(inner, str_from(cases[i].inner))))
            fail_msg("%s: %.*s, %.*s", cases[i].sent, STR(name), STR(inner));
        /* And what is in the home is told as it was said. */
        if (has && inner.len > 0 && !str_eq(names_outer(n, a, inner), name))
            fail_msg("%.*s: not %.*s", STR(inner), STR(name));
    }
    arena_free(a);
}

static void
a_prefix_is_no_mailbox(void **state)
{
    (void)state;
    assert_true(names_is_prefix(&mail, S("Mail")));
    assert_false(names_is_prefix(&mail, S("Mail/")));
    assert_false(names_is_prefix(&courier, S("INBOX")));
    assert_false(names_is_prefix(&plain, S("")));
}

static void
what_is_configured(void **state)
{
    struct conf conf = {.imap_private_prefix = "INBOX.",
                        .imap_hierarchy_separator = "."};
    struct names n = names_of(&conf);

    (void)state;
    assert_true(str_eq(n.prefix, S("INBOX.")) && n.separator == '.');
    conf.imap_hierarchy_separator = "/";
    assert_int_equal(names_of(&conf).separator, '/');
}

static void
another_separator(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);

    (void)state;
    assert_true(
        str_eq(names_divided(a, S("Public.a.b"), '.', '/'), S("Public/a/b")));
    arena_free(a);
}

TESTS(TEST(what_clients_say), TEST(a_prefix_is_no_mailbox),
      TEST(what_is_configured), TEST(another_separator))
