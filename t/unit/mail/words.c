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

TESTS(TEST(decodes))
