#include "mail/charset.h"

#include "unit/test.h"

static void
converts(void **state)
{
    static const struct {
        const char *charset, *text, *utf8; /* NULL: not known */
    } rows[] = {
        {"UTF-8",        "\xc3\xbc",                         "\xc3\xbc"            },
        {"utf-8",
         "a\xfc"
         "b",                                                "a\xef\xbf\xbd"
         "b"                                                          },
        {"us-ascii",     "a\xfc",                            "a\xef\xbf\xbd"       },
        {"ISO-8859-1",   "\xfc\x93",                         "\xc3\xbc\xe2\x80\x9c"},
        {"iso-8859-15",  "\xa4\xa6\xa8\xb4\xb8\xbc\xbd\xbe",
         "\xe2\x82\xac\xc5\xa0\xc5\xa1\xc5\xbd\xc5\xbe\xc5\x92\xc5\x93\xc5"
         "\xb8"                                                                    },
        {"windows-1252", "\x80",                             "\xe2\x82\xac"        },
        {"big5",         "a",                                NULL                  },
        {"",             "a",                                NULL                  },
    };
    struct arena *a = arena_new("test", 1 << 16);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = buf_in(a);
        bool ok = charset_to_utf8(&out, str_from(rows[i].charset),
                                  str_from(rows[i].text));

        if (ok != (rows[i].utf8 != NULL))
            fail_msg("%s", rows[i].charset);
        assert_str(buf_str(&out), ok ? str_from(rows[i].utf8) : S(""));
    }
    arena_free(a);
}

TESTS(TEST(converts))
