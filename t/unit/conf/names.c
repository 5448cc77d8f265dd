#include "conf/names.h"

#include "conf/known.h"
#include "conf/value.h"
#include "unit/test.h"

static void
names_have_classes(void **state)
{
    struct arena *a = arena_new("test", 4 << 20);
    struct services services;
    struct why why;

    (void)state;
    assert_int_equal(services_parse(a,
                                    S("slow unix - - n - - smtp\n"
                                      "run unix - - n - - spawn\n"
                                      "in inet n - n - - smtpd\n"),
                                    "f", &services, &why),
                     OK);
    struct names *n = names_new(a, &services);

    names_add_user(n, S("mine"));
    assert_int_equal(names_get(n, S("myhostname"))->class, NAME_BUILTIN);
    assert_true(names_get(n, S("myhostname"))->acts);
    assert_int_equal(names_get(n, S("mine"))->class, NAME_USER);
    assert_int_equal(names_get(n, S("slow_destination_rate_delay"))->class,
                     NAME_SERVICE);
    assert_string_equal(
        names_get(n, S("slow_destination_rate_delay"))->fallback,
        "$default_destination_rate_delay");
    assert_non_null(names_get(n, S("run_time_limit")));
    assert_null(names_get(n, S("slow_time_limit")));
    assert_null(names_get(n, S("in_destination_rate_delay")));
    assert_null(names_get(n, S("nothing")));
    names_free(n);
    arena_free(a);
}

static void
near_names_are_found(void **state)
{
    static const struct {
        const char *text, *near; /* NULL: none is near */
    } cases[] = {
        {"myhostnam",               "myhostname"              },
        {"smtpd_tls_securitylevel", "smtpd_tls_security_level"},
        {"mydestinations",          "mydestination"           },
        {"smpt_bind_address",       "smtp_bind_address"       },
        {"wombat",                  NULL                      },
        {"x",                       NULL                      },
    };
    struct arena *a = arena_new("test", 4 << 20);
    struct names *n = names_new(a, NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct name *near = names_nearest(n, str_from(cases[i].text));
        const char *got = near ? near->text.p : "nothing";

        if (strcmp(got, cases[i].near ? cases[i].near : "nothing") != 0)
            fail_msg("%s: got %s", cases[i].text, got);
    }
    names_free(n);
    arena_free(a);
}

/* Rows that differ from Postfix on purpose. */
static const char *const ours[] = {
    "mail_name",           /* we are not Postfix */
    "compatibility_level", /* a new suite has no old defaults to keep */
    "smtputf8_enable",     /* at every compatibility_level */
    "smtpd_relay_restrictions",
    "smtpd_tls_protocols", /* RFC 8996: older versions are no more */
    "smtpd_tls_mandatory_protocols",
    "smtpd_forbid_bare_newline", /* as Postfix since 3.9 */
    "smtpd_forbid_unauth_pipelining",
    "alias_maps", /* without NIS */
};

static bool
is_ours(const char *name)
{
    for (size_t i = 0; i < COUNT(ours); i++)
        if (strcmp(ours[i], name) == 0)
            return true;
    return false;
}

static const struct known *
known_get(const char *name)
{
    for (size_t i = 0; i < known_count; i++)
        if (strcmp(known_names[i].name, name) == 0)
            return &known_names[i];
    return NULL;
}

/* Types that read a text the same way. */
static enum conf_type
kind(enum conf_type type)
{
    return type == CONF_MAPS || type == CONF_LIST ? CONF_TEXT
           : type == CONF_SIZE                    ? CONF_INT
                                                  : type;
}

static bool
same_as_postfix(const struct conf_row *row, const struct known *k)
{
    if (strcmp(k->fallback, row->fallback) != 0)
        print_error("%s: default \"%s\", Postfix has \"%s\"\n", row->name,
                    row->fallback, k->fallback);
    else if ((k->type == CONF_RAW) != (row->type == CONF_RAW) ||
             (k->type == CONF_BOOL) != (row->type == CONF_BOOL) ||
             (k->type == CONF_TIME && kind(row->type) == CONF_INT))
        print_error("%s: not of Postfix's type\n", row->name);
    else
        return true;
    return false;
}

static void
rows_have_postfix_defaults(void **state)
{
    size_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < conf_row_count; i++) {
        const struct conf_row *row = &conf_rows[i];
        const struct known *k = known_get(row->name);

        for (size_t j = 0; j < i; j++)
            if (strcmp(conf_rows[j].name, row->name) == 0)
                fail_msg("two rows of %s", row->name);
        if (k && !is_ours(row->name))
            wrong += !same_as_postfix(row, k);
    }
    assert_int_equal(wrong, 0);
}

TESTS(TEST(names_have_classes), TEST(near_names_are_found),
      TEST(rows_have_postfix_defaults))
