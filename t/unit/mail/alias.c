#include "mail/alias.h"

#include "unit/test.h"

#define ADDRESS ALIAS_ADDRESS
#define MAILBOX ALIAS_MAILBOX
#define PATH    ALIAS_FILE
#define COMMAND ALIAS_COMMAND
#define INCLUDE ALIAS_INCLUDE

static const struct {
    const char *text;
    struct {
        enum alias_kind kind;
        const char *text;
    } want[4];
} cases[] = {
    {"",                                                         {{0}}                                   },
    {" , ,\t\n",                                                 {{0}}                                   },
    {"alice",                                                    {{ADDRESS, "alice"}}                    },
    {" alice ,bob@example.org,",
     {{ADDRESS, "alice"}, {ADDRESS, "bob@example.org"}}                                                  },
    {"alice,\n\tbob",                                            {{ADDRESS, "alice"}, {ADDRESS, "bob"}}  },
    {"\\alice",                                                  {{MAILBOX, "alice"}}                    },
    {"\\alice, \"|/usr/bin/vacation alice\"",
     {{MAILBOX, "alice"}, {COMMAND, "/usr/bin/vacation alice"}}                                          },
    {"\"\\\\alice\"",                                            {{MAILBOX, "alice"}}                    },
    {"\\alice@example.org",                                      {{MAILBOX, "alice@example.org"}}        },
    {"/dev/null",                                                {{PATH, "/dev/null"}}                   },
    {"\"/var/mail/a, b\"",                                       {{PATH, "/var/mail/a, b"}}              },
    {"/home/a/Maildir/",                                         {{PATH, "/home/a/Maildir/"}}            },
    {"|/bin/cmd",                                                {{COMMAND, "/bin/cmd"}}                 },
    {"|/bin/cmd -a b",                                           {{COMMAND, "/bin/cmd -a b"}}            },
    {"|\"/bin/cmd -a, b\"",                                      {{COMMAND, "/bin/cmd -a, b"}}           },
    {"\"| /bin/cmd \"",                                          {{COMMAND, "/bin/cmd"}}                 },
    {"\"|IFS=' ' && exec /usr/bin/procmail -f- || exit 75 #a\"",
     {{COMMAND, "IFS=' ' && exec /usr/bin/procmail -f- || exit 75 #a"}}                                  },
    {"\"|echo \\\"x, y\\\" (z)\"",                               {{COMMAND, "echo \"x, y\" (z)"}}        },
    {"|",                                                        {{0}}                                   },
    {"\"|\", x",                                                 {{ADDRESS, "x"}}                        },
    {"\"|cmd",                                                   {{COMMAND, "cmd"}}                      },
    {"|cmd (note, with comma)",                                  {{COMMAND, "cmd"}}                      },
    {":include:/etc/list",                                       {{INCLUDE, "/etc/list"}}                },
    {"\":include:/etc/my list\"",                                {{INCLUDE, "/etc/my list"}}             },
    {":INCLUDE: /etc/list, b",                                   {{INCLUDE, "/etc/list"}, {ADDRESS, "b"}}},
    {"Alice Doe <alice@example.org>",                            {{ADDRESS, "alice@example.org"}}        },
    {"\"Doe, A.\" <alice@example.org>",                          {{ADDRESS, "alice@example.org"}}        },
    {"<alice@example.org>",                                      {{ADDRESS, "alice@example.org"}}        },
    {"alice@example.org (A. (B) Doe)",                           {{ADDRESS, "alice@example.org"}}        },
    {"(only, a comment)",                                        {{0}}                                   },
    {"\"john doe\"@example.org",                                 {{ADDRESS, "john doe@example.org"}}     },
    {"john+x@example.org",                                       {{ADDRESS, "john+x@example.org"}}       },
    {"a b c",                                                    {{ADDRESS, "a b c"}}                    },
    {"(unclosed, a",                                             {{0}}                                   },
    {"\"a\\",                                                    {{ADDRESS, "a\\"}}                      },
};

static void
destinations(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str rest = str_from(cases[i].text);
        struct alias d;

        for (size_t n = 0; n < COUNT(cases[i].want); n++) {
            const char *want = cases[i].want[n].text;
            bool there = alias_next(a, &rest, &d);

            if (there != (want != NULL))
                fail_msg("%s: %zu: %s", cases[i].text, n,
                         there ? "too many" : "too few");
            if (!there)
                break;
            if (d.kind != cases[i].want[n].kind ||
                !str_eq(d.text, str_from(want)))
                fail_msg("%s: kind %d \"%.*s\"", cases[i].text, d.kind,
                         STR(d.text));
        }
    }
    arena_free(a);
}

TESTS(TEST(destinations))
