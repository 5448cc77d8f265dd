#include "mail/xtext.h"

#include "unit/test.h"

static void
xtext(void **state)
{
    static const struct {
        const char *text, *plain;
    } rows[] = {
        {"abc",       "abc"},
        {"a+2Bb",     "a+b"},
        {"a+3Db",     "a=b"},
        {"+20",       " "  },
        {"",          ""   },
        {"a+2bb",     "a+b"},
        {"a+2",       NULL },
        {"a+",        NULL },
        {"a+GG",      NULL },
        {"a=b",       NULL },
        {"a b",       NULL },
        {"a\xc3\xbc", NULL },
    };
    struct arena *a = arena_new("test", 1 << 16);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str out;
        bool ok = xtext_decode(a, str_from(rows[i].text), &out);

        if (ok != (rows[i].plain != NULL))
            fail_msg("%s", rows[i].text);
        if (ok)
            assert_str(out, str_from(rows[i].plain));
    }
    assert_str(xtext_encode(a, S("a+b=c d\xc3\xbc")), S("a+2Bb+3Dc+20d+C3+BC"));
    arena_free(a);
}

static void
utf8(void **state)
{
    static const struct {
        const char *text, *plain;
    } rows[] = {
        {"j\\x{FC}rg@x",  "j\xc3\xbcrg@x"   },
        {"j\xc3\xbcrg@x", "j\xc3\xbcrg@x"   },
        {"\\x{1F600}",    "\xf0\x9f\x98\x80"},
        {"a\\x{2B}b",     "a+b"             },
        {"\\x{D800}",     NULL              },
        {"\\x{110000}",   NULL              },
        {"\\x{}",         NULL              },
        {"\\x{FC",        NULL              },
        {"\\y",           NULL              },
        {"\xfc",          NULL              },
    };
    struct arena *a = arena_new("test", 1 << 16);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str out;
        bool ok = xtext_decode_utf8(a, str_from(rows[i].text), &out);

        if (ok != (rows[i].plain != NULL))
            fail_msg("%s", rows[i].text);
        if (ok)
            assert_str(out, str_from(rows[i].plain));
    }
    assert_str(xtext_encode_utf8(a, S("j\xc3\xbc+\\@x")),
               S("j\\x{FC}\\x{2B}\\x{5C}@x"));
    assert_str(xtext_encode_unitext(a, S("j\xc3\xbc+@x")),
               S("j\xc3\xbc\\x{2B}@x"));
    arena_free(a);
}

TESTS(TEST(xtext), TEST(utf8))
