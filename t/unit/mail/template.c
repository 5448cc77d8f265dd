#include "mail/template.h"

#include "unit/test.h"

static void
built_in(void **state)
{
    struct template set[TEMPLATE_KINDS];

    (void)state;
    template_defaults(set);
    for (size_t i = 0; i < TEMPLATE_KINDS; i++) {
        assert_true(set[i].subject.len > 0 && set[i].from.len > 0);
        assert_true(str_starts(set[i].body, S("This is the mail system at ")));
        assert_true(str_ends(set[i].body, S("\n")));
    }
}

static void
reads(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);
    struct template set[TEMPLATE_KINDS];
    struct why why;

    (void)state;
    template_defaults(set);
    assert_int_equal(template_read(a,
                                   S("# ours\n\ndelay_template = <<END\n"
                                     "Charset: utf-8\nSubject:  Late \n"
                                     "\nBe patient.\n\n# not a comment\nEND\n"
                                     "success_template=<<EOF\n"
                                     "Subject: Done\n\nEOF"),
                                   set, TEMPLATE_KINDS, &why),
                     OK);
    assert_str(set[TEMPLATE_DELAY].charset, S("utf-8"));
    assert_str(set[TEMPLATE_DELAY].subject, S("Late"));
    assert_str(set[TEMPLATE_DELAY].copy_subject, S(""));
    assert_str(set[TEMPLATE_DELAY].from,
               S("Mail Delivery System <MAILER-DAEMON>"));
    assert_str(set[TEMPLATE_DELAY].body, S("Be patient.\n\n# not a comment\n"));
    assert_str(set[TEMPLATE_SUCCESS].subject, S("Done"));
    assert_str(set[TEMPLATE_SUCCESS].body, S(""));
    assert_str(set[TEMPLATE_FAILURE].charset, S("us-ascii"));
    arena_free(a);
}

static void
refuses(void **state)
{
    static const char *const bad[] = {
        "other_template = <<EOF\nSubject: x\n\nEOF\n",
        "failure_template\n",
        "failure_template = x\n",
        "failure_template = <<\n",
        "failure_template = <<EOF\nSubject: x\n\nbody\n",
        "failure_template = <<EOF\nTo: x\n\nEOF\n",
        "failure_template = <<EOF\nno field\n\nEOF\n",
        "junk\n",
    };
    struct arena *a = arena_new("test", 1 << 16);
    struct template set[TEMPLATE_KINDS], before[TEMPLATE_KINDS];
    struct why why;

    (void)state;
    template_defaults(set);
    memcpy(before, set, sizeof set);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(
            template_read(a, str_from(bad[i]), set, TEMPLATE_KINDS, &why),
            PERM);
        assert_memory_equal(set, before, sizeof set);
    }
    assert_int_equal(template_read(a, S(""), set, TEMPLATE_KINDS, &why), OK);
    arena_free(a);
}

static struct str
value(void *self, struct str name)
{
    (void)self;
    return str_eq(name, S("host")) ? S("mx.example.org") : (struct str){0};
}

static void
fills(void **state)
{
    static const struct {
        const char *body, *text;
    } rows[] = {
        {"at $host.",          "at mx.example.org."           },
        {"${host}x$(host)",    "mx.example.orgxmx.example.org"},
        {"$$host $$",          "$host $"                      },
        {"$other ${other} $",  "$other ${other} $"            },
        {"${host $(host} ${}", "${host $(host} ${}"           },
        {"$host$host",         "mx.example.orgmx.example.org" },
        {"",                   ""                             },
    };
    struct arena *a = arena_new("test", 1 << 16);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_str(template_fill(a, str_from(rows[i].body), value, NULL),
                   str_from(rows[i].text));
    arena_free(a);
}

static void
times(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);
    int64_t day = 86400000;

    (void)state;
    assert_str(template_time(a, S("t_days"), "t", 5 * day), S("5"));
    assert_str(template_time(a, S("t_hours"), "t", 5 * day), S("120"));
    assert_str(template_time(a, S("t_weeks"), "t", 11 * day), S("2"));
    assert_str(template_time(a, S("t_seconds"), "t", 1499), S("1"));
    assert_str(template_time(a, S("t_minutes"), "t", 90000), S("2"));
    assert_null(template_time(a, S("t"), "t", day).p);
    assert_null(template_time(a, S("t_years"), "t", day).p);
    assert_null(template_time(a, S("u_days"), "t", day).p);
    arena_free(a);
}

TESTS(TEST(built_in), TEST(reads), TEST(refuses), TEST(fills), TEST(times))
