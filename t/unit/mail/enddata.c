#include "mail/enddata.h"

#include "base/buf.h"
#include "unit/test.h"

#define LAX  ENDDATA_LAX_END
#define KEEP ENDDATA_KEEP_CR
#define BDAT ENDDATA_COUNTED

/* in: what arrives; text: what is stored; rest: what is left after the end,
 * NULL where it does not end. */
static const struct {
    unsigned flags;
    const char *in, *text, *rest;
} cases[] = {
    {0,    ".\r\n",                          "",                      ""        },
    {0,    ".\r\nQUIT\r\n",                  "",                      "QUIT\r\n"},
    {0,    "a\r\n.\r\nb",                    "a\n",                   "b"       },
    {0,    "a\r\n..\r\n.\r\n",               "a\n.\n",                ""        },
    {0,    "..a\r\n...\r\n.\r\n",            ".a\n..\n",              ""        },
    {0,    ".a\r\n.\r\n",                    "a\n",                   ""        },
    {0,    "\r\n\r\n.\r\n",                  "\n\n",                  ""        },
    {0,    "a.\r\n.\r\n",                    "a.\n",                  ""        },
 /* smuggling: none of these ends the text */
    {0,    "a\n.\n",                         "a\n.\n",                NULL      },
    {0,    "a\n.\r\n",                       "a\n.\n",                NULL      },
    {0,    "a\r\n.\n",                       "a\n.\n",                NULL      },
    {0,    "a\r\n.\r",                       "a\n",                   NULL      },
    {0,    "a\r.\r\n",                       "a .\n",                 NULL      },
    {0,    "a\r\n.\r\r\n",                   "a\n \n",                NULL      },
    {0,    "a\r\n\r.\r\n",                   "a\n .\n",               NULL      },
    {0,    "a\r.\r",                         "a .",                   NULL      },
    {0,    "a\n.\r\nMAIL FROM:<x>\r\n.\r\n", "a\n.\nMAIL FROM:<x>\n", ""        },
    {0,    "a\r\n.\nMAIL FROM:<x>\r\n.\r\n", "a\n.\nMAIL FROM:<x>\n", ""        },
    {0,    "a\r\n.\r\n.\r\n",                "a\n",                   ".\r\n"   },
    {0,    ".\n.\r\n.\r\n",                  ".\n.\n",                ""        },
 /* as of old */
    {LAX,  "a\n.\n",                         "a\n",                   ""        },
    {LAX,  "a\n.\r\n",                       "a\n",                   ""        },
    {LAX,  "a\r\n.\nb",                      "a\n",                   "b"       },
    {LAX,  "a\r.\r\n.\r\n",                  "a .\n",                 ""        },
 /* bare CR */
    {0,    "a\rb\r\r\n.\r\n",                "a b \n",                ""        },
    {KEEP, "a\rb\r\r\n.\r\n",                "a\rb\r\n",              ""        },
    {KEEP, "\r\r\n.\r\n",                    "\r\n",                  ""        },
 /* chunks of BDAT */
    {BDAT, ".\r\n..\r\na\r\n",               ".\n..\na\n",            NULL      },
    {BDAT, "a",                              "a\n",                   NULL      },
    {BDAT, "a\r",                            "a \n",                  NULL      },
    {BDAT, "",                               "",                      NULL      },
};

static void
run_case(struct arena *a, size_t n, size_t piece)
{
    struct str in = str_from(cases[n].in);
    struct buf text = buf_in(a);
    struct enddata d;
    size_t len;

    enddata_begin(&d, cases[n].flags);
    while (in.len > 0 && !d.ended) {
        struct str part = str_sub(in, 0, piece);
        size_t used = enddata_scan(&d, part, buf_space(&text, piece + 4), &len);

        assert_true(len <= part.len + 4);
        assert_true(d.ended || used == part.len);
        text.len += len;
        in = str_sub(in, used, in.len);
    }
    if (cases[n].flags & BDAT)
        text.len += enddata_finish(&d, buf_space(&text, 4));
    if (d.ended != (cases[n].rest != NULL) ||
        !str_eq(buf_str(&text), str_from(cases[n].text)) ||
        (d.ended && !str_eq(in, str_from(cases[n].rest))))
        fail_msg("case %zu in pieces of %zu: \"%s\", ended %d, rest \"%.*s\"",
                 n, piece, buf_str(&text).p, d.ended, STR(in));
}

static void
ends(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t piece = 1; piece < 20; piece++)
            run_case(a, i, piece);
    arena_free(a);
}

static void
counts(void **state)
{
    char out[64];
    struct enddata d;
    size_t len;

    (void)state;
    enddata_begin(&d, 0);
    enddata_scan(&d, S("abc\n\rde\xfc\0\r\n.\r\n"), out, &len);
    assert_true(d.ended && d.eight_bit);
    assert_int_equal(d.bare_lf, 1);
    assert_int_equal(d.bare_cr, 1);
    assert_int_equal(d.nul, 1);
    assert_int_equal(d.longest, 5);

    enddata_begin(&d, 0);
    enddata_scan(&d, S("a\r\n.\r\n"), out, &len);
    assert_int_equal(d.bare_lf + d.bare_cr + d.nul, 0);
    assert_false(d.eight_bit);
}

TESTS(TEST(ends), TEST(counts))
