#include "mail/imap_text.h"

#include "unit/test.h"

static struct arena *arena;
static struct buf b;

#define ASSERT_WRITTEN(text)                                                   \
    do {                                                                       \
        assert_str(buf_str(&b), S(text));                                      \
        buf_reset(&b);                                                         \
    } while (0)

static void
strings(void **state)
{
    (void)state;
    arena = arena_new("test", 1 << 20);
    b = buf_in(arena);
    imap_put_string(&b, S("a \"b\\"));
    ASSERT_WRITTEN("\"a \\\"b\\\\\"");
    imap_put_string(&b, S("gr\xc3\xbcn"));
    ASSERT_WRITTEN("\"gr\xc3\xbcn\"");
    imap_put_string(&b, S("gr\xfcn"));
    ASSERT_WRITTEN("{4}\r\ngr\xfcn");
    imap_put_string(&b, S("a\r\nb"));
    ASSERT_WRITTEN("{4}\r\na\r\nb");
    imap_put_string(&b, S("a\0b"));
    ASSERT_WRITTEN("{5}\r\na\xef\xbf\xbd"
                   "b");
    imap_put_nstring(&b, (struct str){0});
    ASSERT_WRITTEN("NIL");
    imap_put_astring(&b, S("atom"));
    ASSERT_WRITTEN("atom");
    imap_put_astring(&b, S("nil"));
    ASSERT_WRITTEN("\"nil\"");
    imap_put_astring(&b, S("a*"));
    ASSERT_WRITTEN("\"a*\"");
    arena_free(arena);
}

/* What is in quotes becomes a literal where it is not ASCII, and nothing else
 * changes: not in literals that look like quotes, nor the other way round. */
static void
narrow(void **state)
{
    static const struct {
        const char *wide, *narrow;
    } rows[] = {
        {"(\"a\" NIL)",                       "(\"a\" NIL)"            },
        {"(\"\xc3\xa4\" \"b\")",              "({2}\r\n\xc3\xa4 \"b\")"},
        {"\"\xc3\xa4\\\"\\\\\"",              "{4}\r\n\xc3\xa4\"\\"    },
        {"{5}\r\n\"\xc3\xa4\"( \"\xc3\xa4\"",
         "{5}\r\n\"\xc3\xa4\"( {2}\r\n\xc3\xa4"                        },
        {"\"{3}\" \"\xc3\xa4\"",              "\"{3}\" {2}\r\n\xc3\xa4"},
        {"{9}\r\n\xc3\xa4",                   "{9}\r\n\xc3\xa4"        },
    };

    (void)state;
    arena = arena_new("test", 1 << 20);
    b = buf_in(arena);
    for (size_t i = 0; i < COUNT(rows); i++) {
        imap_put_narrow(&b, str_from(rows[i].wide));
        assert_str(buf_str(&b), str_from(rows[i].narrow));
        buf_reset(&b);
    }
    /* What was cut off: anything, within bounds. */
    imap_put_narrow(&b, S("\"\xc3\xa4"));
    imap_put_narrow(&b, S("\"\xc3\xa4\\"));
    imap_put_narrow(&b, S("\xc3\"\\"));
    imap_put_narrow(&b, S("\xc3\""));
    arena_free(arena);
}

TESTS(TEST(strings), TEST(narrow))
