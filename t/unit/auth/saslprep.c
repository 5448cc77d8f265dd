#include "auth/saslprep.h"

#include "unit/test.h"

/* RFC 4013, 3, and hostile input; NULL: refused. */
static const struct {
    struct str in;
    const char *query, *stored;
} cases[] = {
    {S("user"),                 "user",                 "user"                },
    {S("USER"),                 "USER",                 "USER"                },
    {S("I\302\255X"),           "IX",                   "IX"                  },
    {S("\302\252"),             "a",                    "a"                   },
    {S("\342\205\250"),         "IX",                   "IX"                  },
    {S("a\302\240b"),           "a b",                  "a b"                 },
    {S("pass word"),            "pass word",            "pass word"           },
    {S("jos\303\251"),          "jos\303\251",          "jos\303\251"         },
    {S("jose\314\201"),         "jos\303\251",          "jos\303\251"         },
    {S("\007"),                 NULL,                   NULL                  },
    {S("\330\247\061"),         NULL,                   NULL                  },
    {S("\330\247\061\330\250"), "\330\247\061\330\250", "\330\247\061\330\250"},
    {S("a\0b"),                 NULL,                   NULL                  },
    {S(""),                     NULL,                   NULL                  },
    {S("\302\255"),             NULL,                   NULL                  },
    {S("a\nb"),                 NULL,                   NULL                  },
    {S("a\177"),                NULL,                   NULL                  },
    {S("\303"),                 NULL,                   NULL                  },
    {S("\355\240\200"),         NULL,                   NULL                  },
    {S("\300\200"),             NULL,                   NULL                  },
    {S("\356\200\200"),         NULL,                   NULL                  },
 /* U+1F600 is younger than Unicode 3.2. */
    {S("x\360\237\230\200"),    "x\360\237\230\200",    NULL                  },
};

static void
prepared(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (int stored = 0; stored <= 1; stored++) {
            const char *want = stored ? cases[i].stored : cases[i].query;
            struct str got;

            if (saslprep(a, cases[i].in, stored, &got) != (want != NULL))
                fail_msg("case %zu", i);
            if (want)
                assert_str(got, str_from(want));
        }
    arena_free(a);
}

/* U+FDFA becomes 18 code points. */
static void
growth(void **state)
{
    struct arena *a = arena_new("test", 4 << 20);
    char in[SASLPREP_MAX];
    struct str got;

    (void)state;
    for (size_t i = 0; i + 3 <= sizeof in; i += 3)
        memcpy(in + i, "\357\267\272", 3);
    assert_true(saslprep(a, (struct str){in, sizeof in / 3 * 3}, false, &got));
    assert_true(got.len > 10 * sizeof in);
    assert_false(saslprep(a, (struct str){in, sizeof in + 1}, false, &got));
    arena_free(a);
}

TESTS(TEST(prepared), TEST(growth))
