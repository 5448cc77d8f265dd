#include "mail/stuff.h"

#include "base/buf.h"
#include "mail/enddata.h"
#include "unit/test.h"

static const struct {
    size_t limit;
    const char *in, *out;
} cases[] = {
    {998, "",             ".\r\n"                      },
    {998, "a\n",          "a\r\n.\r\n"                 },
    {998, "a",            "a\r\n.\r\n"                 },
    {998, ".\n..a\nb.\n", "..\r\n...a\r\nb.\r\n.\r\n"  },
    {998, "\n\n",         "\r\n\r\n.\r\n"              },
    {998, "a\r\nb\rc\n",  "a\r\nb c\r\n.\r\n"          },
    {998, "a\r",          "a\r\n.\r\n"                 },
    {998, "\r.\r\n",      " .\r\n.\r\n"                },
    {998, "a\r\r\n.",     "a \r\n..\r\n.\r\n"          },
    {4,   "abcd\n",       "abcd\r\n.\r\n"              },
    {4,   "abcde\n",      "abcd\r\n e\r\n.\r\n"        },
    {4,   "abcdefgh\n",   "abcd\r\n efg\r\n h\r\n.\r\n"},
    {4,   ".....\n",      ".....\r\n .\r\n.\r\n"       },
    {0,   "abcdefgh\n",   "abcdefgh\r\n.\r\n"          },
};

static struct str
stuffed(struct arena *a, struct str in, size_t limit, size_t piece)
{
    struct buf b = buf_in(a);
    struct stuff s;

    stuff_begin(&s, limit, false);
    while (in.len > 0) {
        struct str part = str_sub(in, 0, piece);
        size_t room = stuff_room(&s, part.len);
        size_t len = stuff_put(&s, part, buf_space(&b, room));

        assert_true(len <= room);
        b.len += len;
        in = str_sub(in, piece, in.len);
    }
    b.len += stuff_end(&s, buf_space(&b, 8));
    return buf_str(&b);
}

static void
outputs(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t piece = 1; piece < 12; piece++)
            assert_str(stuffed(a, str_from(cases[i].in), cases[i].limit, piece),
                       str_from(cases[i].out));
    arena_free(a);
}

static void
counted(void **state)
{
    char out[64];
    struct stuff s;

    (void)state;
    stuff_begin(&s, 998, true);
    size_t len = stuff_put(&s, S(".\na"), out);

    assert_str(((struct str){out, len}), S(".\r\na"));
    assert_int_equal(stuff_end(&s, out), 2);
}

/* What was stuffed comes back as it was. */
static void
round_trip(void **state)
{
    static const char *const texts[] = {
        "", "\n", ".\n", "..\n.\n", "a\n.b\n\n..\n", "x\xfc.\n.\n\n"};
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct str wire = stuffed(a, str_from(texts[i]), 998, 3);
        struct enddata d;
        char out[64];
        size_t len;

        enddata_begin(&d, 0);
        assert_int_equal(enddata_scan(&d, wire, out, &len), wire.len);
        assert_true(d.ended);
        assert_str(((struct str){out, len}), str_from(texts[i]));
    }
    arena_free(a);
}

TESTS(TEST(outputs), TEST(counted), TEST(round_trip))
