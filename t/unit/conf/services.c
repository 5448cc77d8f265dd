#include "conf/services.h"

#include "unit/test.h"

static const char file[] =
    "# services\n"
    "smtp inet n - n - - smtpd\n"
    " -o syslog_name=postfix/x\n"
    "# inside\n"
    "   -o { smtpd_client_restrictions = permit_mynetworks, reject }\n"
    "   -v -osmtpd_helo_required=yes\n"
    "\n"
    "smtp unix - y y 60? 7 smtp -o a=b {-o c = d e}\n"
    "m unix - n n 5 0 pipe flags=R argv=/bin/x { a b } x{ y z}\n"
    "smtp inet n - n - 1 smtpd\n";

static struct services
parse(struct arena *a, const char *text)
{
    struct services s;
    struct why why;

    if (services_parse(a, str_from(text), "master.cf", &s, &why) != OK)
        fail_msg("%s", why.text);
    return s;
}

static void
rows_are_read(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct services s = parse(a, file);

    (void)state;
    assert_int_equal(s.count, 4);
    assert_string_equal(s.at[0].command, "smtpd");
    assert_int_equal(s.at[0].type, SERVICE_INET);
    assert_false(s.at[0].private);
    assert_true(s.at[0].unprivileged);
    assert_false(s.at[0].chroot);
    assert_int_equal(s.at[0].limit, -1);
    assert_int_equal(s.at[0].line, 2);
    assert_int_equal(s.at[0].override_count, 3);
    assert_str(s.at[0].overrides[1].value, S("permit_mynetworks, reject"));
    assert_str(s.at[0].overrides[2].name, S("smtpd_helo_required"));
    assert_int_equal(s.at[0].word_count, 7);
    assert_str(s.at[0].words[3],
               S("smtpd_client_restrictions=permit_mynetworks, reject"));
    assert_string_equal(s.at[0].args[0], "-v");
    assert_null(s.at[0].args[1]);

    assert_true(s.at[1].private && s.at[1].chroot && s.at[1].wakeup_if_used);
    assert_int_equal(s.at[1].wakeup, 60);
    assert_int_equal(s.at[1].limit, 7);
    assert_str(s.at[1].overrides[1].value, S("d e"));

    assert_int_equal(s.at[2].limit, 0);
    assert_string_equal(s.at[2].args[2], "a b");
    assert_string_equal(s.at[2].args[3], "x{ y z}");
    assert_null(s.at[2].args[4]);
    arena_free(a);
}

static void
later_row_wins(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct services s = parse(a, file);

    (void)state;
    services_unique(&s, NULL, NULL);
    assert_int_equal(s.count, 3);
    assert_int_equal(s.at[0].limit, 1);
    assert_int_equal(s.at[0].override_count, 0);
    arena_free(a);
}

static const struct {
    const char *row, *complaint;
} broken[] = {
    {"smtp inet n - n - -\n",                 "no command column"            },
    {"smtp tcp n - n - - smtpd\n",            "invalid type field \"tcp\""   },
    {"smtp inet yes - n - - smtpd\n",         "invalid private field \"yes\""},
    {"smtp inet n - n 1m - smtpd\n",          "invalid wakeup"               },
    {"smtp inet n - n - -1 smtpd\n",          "invalid process_limit"        },
    {"smtp inet n - n - - smtpd -o\n",        "-o without"                   },
    {"smtp inet n - n - - smtpd -o a b\n",    "missing '='"                  },
    {"smtp inet n - n - - smtpd { a\n",       "a { without"                  },
    {"smtp inet n - n - - smtpd {a}b\n",      "text behind"                  },
    {"smtp inet n - n - - smtpd -o {a=b}c\n", "text behind"                  },
};

static void
broken_rows_are_refused(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        struct services s;
        struct why why = {0};

        assert_int_equal(
            services_parse(a, str_from(broken[i].row), "master.cf", &s, &why),
            PERM);
        if (strstr(why.text, broken[i].complaint) == NULL ||
            strstr(why.text, "master.cf, line 1: ") == NULL)
            fail_msg("%s: %s", broken[i].row, why.text);
    }
    arena_free(a);
}

TESTS(TEST(rows_are_read), TEST(later_row_wins), TEST(broken_rows_are_refused))
