#include "local/pipe_args.h"

#include "base/buf.h"
#include "unit/test.h"

static const struct rec_rcpt rcpts[] = {
    {.addr = {"Ann+X@Example.Org", 17}},
    { .addr = {"b;rm -rf $HOME@example.org", 26},           .orig = {"B@other", 7}},
};

static const struct {
    unsigned flags;
    const char *templates[4];
    const char *want; /* arguments joined with "|"; NULL: refused */
} cases[] = {
    {0,                                 {"/bin/x", "-f", "${sender}"},             "/bin/x|-f|a b@c.example"  },
    {PIPE_QUOTE,                        {"${sender}"},                             "\"a b\"@c.example"        },
    {0,
     {"--", "$recipient"},
     "--|Ann+X@Example.Org|b;rm -rf $HOME@example.org"                                                        },
    {PIPE_FOLD_USER | PIPE_FOLD_DOMAIN,
     {"${recipient}"},
     "ann+x@example.org|b;rm -rf $home@example.org"                                                           },
    {PIPE_QUOTE,
     {"$(recipient)"},
     "Ann+X@Example.Org|\"b;rm -rf $HOME\"@example.org"                                                       },
    {0,
     {"${user}", "${extension}", "${mailbox}"},
     "Ann|b;rm -rf $HOME|X||Ann+X|b;rm -rf $HOME"                                                             },
    {0,                                 {"${original_recipient}"},                 "Ann+X@Example.Org|B@other"},
    {PIPE_FOLD_DOMAIN,
     {"${domain}!${nexthop}"},
     "example.org!next.example|example.org!next.example"                                                      },
    {0,                                 {"${nexthop}:${size}:${queue_id}", "$$x"}, "Next.Example:90:ABC|$x"   },
    {0,                                 {"${client_address} ${client_helo}"},      "192.0.2.1 me"             },
    {0,                                 {"${sasl_username}"},                      ""                         },
    {0,                                 {"${nothing}"},                            NULL                       },
    {0,                                 {"${sender"},                              NULL                       },
};

static void
macros(void **state)
{
    static const struct msg_deliver msg = {
        .id = {"ABC",           3 },
        .sender = {"a b@c.example", 13},
        .nexthop = {"Next.Example",  12},
        .skip = 10,
        .end = 100
    };
    static const struct origin origin = {
        .addr = {"192.0.2.1", 9},
          .helo = {"me",        2}
    };
    struct pipe_args args = {.delimiters = "+",
                             .null_sender = S("MAILER-DAEMON"),
                             .msg = &msg,
                             .origin = &origin,
                             .rcpts = rcpts,
                             .nrcpts = COUNT(rcpts)};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena *a = arena_new("test", 1 << 20);
        struct buf got = buf_in(a);
        struct why why;
        char **argv;

        args.flags = cases[i].flags;
        enum rc rc = pipe_expand(a, &args, (char *const *)cases[i].templates,
                                 &argv, &why);

        assert_int_equal(rc == OK, cases[i].want != NULL);
        for (size_t k = 0; rc == OK && argv[k]; k++)
            buf_fmt(&got, "%s%s", k ? "|" : "", argv[k]);
        if (rc == OK)
            assert_str(buf_str(&got), str_from(cases[i].want));
        arena_free(a);
    }
}

static void
null_sender(void **state)
{
    static const struct msg_deliver msg;
    static const struct origin origin;
    char *templates[] = {(char[]){"${sender}"}, NULL};
    struct pipe_args args = {.delimiters = "",
                             .null_sender = S("nobody at all"),
                             .flags = PIPE_QUOTE,
                             .msg = &msg,
                             .origin = &origin,
                             .rcpts = rcpts,
                             .nrcpts = 1};
    struct arena *a = arena_new("test", 1 << 20);
    struct why why;
    char **argv;

    (void)state;
    assert_int_equal(pipe_expand(a, &args, templates, &argv, &why), OK);
    assert_string_equal(argv[0], "\"nobody at all\"");
    args.null_sender = S("");
    assert_int_equal(pipe_expand(a, &args, templates, &argv, &why), OK);
    assert_string_equal(argv[0], "");
    arena_free(a);
}

static void
escapes(void **state)
{
    static const struct {
        const char *text, *want;
    } texts[] = {
        {"\\r\\n",    "\r\n"  },
        {"\\012x",    "\nx"   },
        {"\\7",       "\a"    },
        {"a\\\\b\\t", "a\\b\t"},
        {"",          ""      },
        {"\\x",       NULL    },
        {"\\",        NULL    },
        {"\\777",     NULL    },
    };
    struct arena *a = arena_new("test", 1 << 20);
    struct str out;

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        bool good = pipe_unescape(a, str_from(texts[i].text), &out);

        assert_int_equal(good, texts[i].want != NULL);
        if (good)
            assert_str(out, str_from(texts[i].want));
    }
    arena_free(a);
}

TESTS(TEST(macros), TEST(null_sender), TEST(escapes))
