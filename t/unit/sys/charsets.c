#include "sys/charsets.h"

#include "unit/test.h"

static const struct {
    const char *charset, *in, *out;
} rows[] = {
    {"koi8-r",      "\xc1\xc2",         "\xd0\xb0\xd0\xb1"         },
    {"iso-2022-jp", "\x1b$B$\"\x1b(B.", "\xe3\x81\x82."            },
    {"utf-7",       "a+AOQ-b",          "a\xc3\xa4\x62"            },
    {"gb18030",     "\xc4\xe3",         "\xe4\xbd\xa0"             },
    {"gb18030",     "\xc4",             "\xef\xbf\xbd"             },
    {"big5",        "\xff\xff.",        "\xef\xbf\xbd\xef\xbf\xbd."},
};

static void
converts(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct converters *set = charsets_new(a);

    (void)state;
    charsets_warm(set);
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t piece = 1; piece < 4; piece++) {
            struct converter *c = set->open(set, str_from(rows[i].charset));
            struct buf out = buf_in(a), left = buf_in(a);
            struct str in = str_from(rows[i].in);

            assert_non_null(c);
            for (size_t at = 0; at < in.len; at += piece) {
                struct str rest;

                buf_add(&left, str_sub(in, at, piece));
                rest = buf_str(&left);
                c->put(c, &out, &rest, at + piece >= in.len);
                memmove(left.p, rest.p, rest.len);
                left.len = rest.len;
            }
            c->close(c);
            if (!str_eq(buf_str(&out), str_from(rows[i].out)))
                fail_msg("%s in pieces of %zu: got \"%.*s\"", rows[i].charset,
                         piece, STR(buf_str(&out)));
        }
    charsets_free(set);
    arena_free(a);
}

static void
refuses(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct converters *set = charsets_new(a);
    struct converter *open[CHARSETS_OPEN];

    (void)state;
    assert_null(set->open(set, S("no-such-charset")));
    assert_null(set->open(set, S("utf-16//TRANSLIT")));
    assert_null(set->open(set, S("../../x")));
    assert_null(set->open(set, S("")));
    assert_null(set->open(set, S("\0utf-7")));
    for (size_t i = 0; i < CHARSETS_OPEN; i++)
        assert_non_null(open[i] = set->open(set, S("koi8-r")));
    assert_null(set->open(set, S("koi8-r")));
    open[3]->close(open[3]);
    assert_ptr_equal(set->open(set, S("koi8-r")), open[3]);
    charsets_free(set);
    arena_free(a);
}

/* A large text, much of it broken, with little memory beside the result. */
static void
is_linear(void **state)
{
    struct arena *a = arena_new("test", (size_t)64 << 20);
    struct converters *set = charsets_new(a);
    struct converter *c = set->open(set, S("euc-jp"));
    struct buf in = buf_in(a), out = buf_in(a);

    (void)state;
    for (int i = 0; i < 1000000; i++)
        buf_addc(&in, '\xff');

    struct str rest = buf_str(&in);

    c->put(c, &out, &rest, true);
    assert_int_equal(out.len, 3000000);
    c->close(c);
    charsets_free(set);
    arena_free(a);
}

TESTS(TEST(converts), TEST(refuses), TEST(is_linear))
