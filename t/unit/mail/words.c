#include "mail/words.h"

#include "unit/test.h"

static void
decodes(void **state)
{
    static const struct {
        const char *text, *plain;
    } rows[] = {
        {"plain",                           "plain"            },
        {"=?utf-8?q?J=C3=BCrg?=",           "J\xc3\xbcrg"      },
        {"=?UTF-8?B?SsO8cmc=?= <a@b>",      "J\xc3\xbcrg <a@b>"},
        {"=?iso-8859-1?q?J=FCrg_X?=",       "J\xc3\xbcrg X"    },
        {"=?iso-8859-15?q?=A4?=",           "\xe2\x82\xac"     },
        {"=?windows-1252?q?=80?=",          "\xe2\x82\xac"     },
        {"=?utf-8*de?q?a?=",                "a"                },
        {"=?utf-8?q?a?= =?utf-8?q?b?=",     "ab"               },
        {"=?utf-8?q?a?=\r\n =?utf-8?q?b?=", "ab"               },
        {"=?utf-8?q?a?= b =?utf-8?q?c?=",   "a b c"            },
        {"x=?utf-8?q?a?=y",                 "xay"              },
        {"=?koi8-r?q?=C1?=",                "=?koi8-r?q?=C1?=" },
        {"=?utf-8?x?a?=",                   "=?utf-8?x?a?="    },
        {"=?utf-8?q?a b?=",                 "=?utf-8?q?a b?="  },
        {"=?utf-8?q?a",                     "=?utf-8?q?a"      },
        {"=?",                              "=?"               },
        {"=??q?a?=",                        "=??q?a?="         },
        {"=?utf-8?q?=FC?=",                 "\xef\xbf\xbd"     },
        {"=?us-ascii?q?a=FC?=",             "a\xef\xbf\xbd"    },
        {"=?utf-8?q?"
         "?=",                     ""                 },
    };
    struct arena *a = arena_new("test", 1 << 16);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str got = words_decode(a, str_from(rows[i].text));

        if (!str_eq(got, str_from(rows[i].plain)))
            fail_msg("%s: got \"%.*s\"", rows[i].text, STR(got));
    }
    arena_free(a);
}

/* What senders do against the rules, and readers put right. */
static void
reads(void **state)
{
    static const struct {
        const char *text, *plain;
    } rows[] = {
        {"plain",                                    "plain"                        },
        {"a =?utf-8?q?b?= c",                        "a b c"                        },
        {"=?utf-8?b?4pg=?= =?utf-8?b?gw==?= x",      "\xe2\x98\x83 x"               },
        {"=?utf-8?q?=E2=98?=\r\n\t=?UTF-8?b?gw==?=", "\xe2\x98\x83"                 },
        {"=?utf-8?q?a?= =?iso-8859-1?q?=FC?=",       "a\xc3\xbc"                    },
        {"gr\xfc\xdf",                               "gr\xc3\xbc\xc3\x9f"           },
        {"gr\xc3\xbc",                               "gr\xc3\xbc"                   },
        {"=?x-none?q?a=41?= b",                      "=?x-none?q?a=41?= b"          },
        {"=?x-none?q?a?= =?x-none?q?b?=",            "=?x-none?q?a?= =?x-none?q?b?="},
        {"=?",                                       "=?"                           },
        {"=?utf-8?q?" "?==?utf-8?q?x?=", "x"                            },
    };
    struct arena *a = arena_new("test", 1 << 16);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str got = words_read(a, NULL, str_from(rows[i].text));

        if (!str_eq(got, str_from(rows[i].plain)))
            fail_msg("%s: got \"%.*s\"", rows[i].text, STR(got));
    }
    assert_str(words_read_field(a, NULL, S(" a\r\n b ")), S("a b"));
    arena_free(a);
}

TESTS(TEST(decodes), TEST(reads))
