#include "conf/edit.h"

#include "unit/test.h"

#define HEAD "# head\n"
#define SMTP "smtp      inet  n       -       y       -       -       smtpd\n"
#define NOTE "# about submission\n\n"
#define SUBM                                                                   \
    "submission inet n       -       y       -       -       smtpd\n"          \
    "  -o a=b\n"                                                               \
    "# inside\n"                                                               \
    "  -o { c = d e } -v\n"
#define PIPE                                                                   \
    "\n# about pipe\n"                                                         \
    "foo unix - n n - - pipe\n"                                                \
    "  user=foo argv=/bin/foo { a b }"

#define SUBM_ROW                                                               \
    "submission inet  n       -       y       -       -       smtpd\n"
#define INSIDE "# inside\n"

static const char file[] = HEAD SMTP NOTE SUBM PIPE;

static const struct {
    enum edit_part part;
    enum edit what;
    const char *pattern, *value; /* NULL value: none */
    const char *want;            /* NULL: refused */
} cases[] = {
    {EDIT_PARAM,   EDIT_SET,     "submission/inet/a",       "x",
     HEAD SMTP NOTE INSIDE SUBM_ROW "    -o a=x\n    -o {c=d e}\n    -v\n" PIPE
                                    "\n"                                                      },
    {EDIT_PARAM,   EDIT_SET,     "submission/inet/new",     "",
     HEAD SMTP NOTE INSIDE SUBM_ROW
     "    -o a=b\n    -o {c=d e}\n    -v\n    -o new=\n" PIPE "\n"                            },
    {EDIT_PARAM,   EDIT_REMOVE,  "submission/*/a",          NULL,
     HEAD SMTP NOTE INSIDE SUBM_ROW "    -o {c=d e}\n    -v\n" PIPE "\n"                      },
    {EDIT_FIELD,   EDIT_SET,     "smtp/inet/process_limit", "20",
     HEAD
     "smtp       inet  n       -       y       -       20      smtpd\n" NOTE
         SUBM PIPE "\n"                                                                       },
    {EDIT_FIELD,   EDIT_SET,     "foo/unix/wakeup",         "5?",
     HEAD SMTP NOTE SUBM
     "\n# about pipe\n"
     "foo        unix  -       n       n       5?      -       pipe user=foo\n"
     "    argv=/bin/foo {a b}\n"                                                              },
    {EDIT_FIELD,   EDIT_SET,     "foo/unix/command",        "smtp -o {x = y z}",
     HEAD SMTP NOTE SUBM
     "\n# about pipe\n"
     "foo        unix  -       n       n       -       -       smtp\n"
     "    -o {x=y z}\n"                                                                       },
    {EDIT_FIELD,   EDIT_SET,     "foo/unix/chroot",         "maybe",                      NULL},
    {EDIT_SERVICE, EDIT_REMOVE,  "submission/inet",         NULL,
     HEAD SMTP NOTE INSIDE PIPE "\n"                                                          },
    {EDIT_SERVICE, EDIT_COMMENT, "*/unix",                  NULL,
     HEAD SMTP NOTE SUBM "\n# about pipe\n"
                         "#foo unix - n n - - pipe\n"
                         "#  user=foo argv=/bin/foo { a b }\n"                                },
    {EDIT_SERVICE, EDIT_SET,     "smtp/inet",               "25 inet n - n - - smtpd -v",
     HEAD
     "25         inet  n       -       n       -       -       smtpd -v\n" NOTE
         SUBM PIPE "\n"                                                                       },
    {EDIT_SERVICE, EDIT_SET,     "bar/unix",                "bar unix - - n - - smtp",
     HEAD SMTP NOTE SUBM PIPE
     "\n"
     "bar        unix  -       -       n       -       -       smtp\n"                        },
    {EDIT_SERVICE, EDIT_SET,     "bar/unix",                "bar unix - - n -",           NULL},
};

static void
master_cf_is_changed(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct edit_master e = {0};
        size_t parts = cases[i].part == EDIT_SERVICE ? 2 : 3;
        struct str got;
        struct why why = {0};

        assert_true(pattern_parse(str_from(cases[i].pattern), parts, parts,
                                  &e.pattern));
        if (cases[i].part == EDIT_FIELD)
            assert_true(pattern_column(e.pattern.part, &e.column));
        e.value = str_from(cases[i].value ? cases[i].value : "");
        enum rc rc = edit_master(a, str_from(file), "master.cf", cases[i].part,
                                 cases[i].what, &e, 1, &got, &why);

        if ((rc == OK) != (cases[i].want != NULL))
            fail_msg("%zu: %s", i, why.text);
        if (cases[i].want && !str_eq(got, str_from(cases[i].want)))
            fail_msg("%zu: got\n%s", i, got.p);
    }
    arena_free(a);
}

TESTS(TEST(master_cf_is_changed))
