#include "fts/tokens.h"

#include <stdlib.h>

#include "base/buf.h"
#include "unit/test.h"

static void
word(void *self, struct str w)
{
    buf_add(self, w);
    buf_addc(self, ' ');
}

static void
gram(void *self, uint32_t g)
{
    buf_fmt(self, "#%04x ", g);
}

/* In pieces of so many characters. */
static struct str
tokens_of(struct arena *a, struct str text, size_t chars)
{
    struct buf b = buf_in(a);
    const struct token_taker taker = {word, gram, &b};
    struct tokens t = {.taker = &taker};

    while (text.len > 0) {
        struct str piece = {text.p, 0};

        for (size_t i = 0; i < chars && text.len > 0; i++)
            piece.len += tokens_char(&text).len;
        tokens_put(&t, piece);
    }
    tokens_end(&t);
    return buf_str(&b);
}

static const struct {
    const char *text, *tokens;
} rows[] = {
    {"",                                     ""                                                      },
    {"HELLO, WORLD",                         "HELLO WORLD "                                          },
    {"ADA@A-B.C 12:30",                      "ADA A B C 12 30 "                                      },
    {"NAI\xcc\x88VE\xe2\x80\x99S",           "NAI\xcc\x88VE S "                                      },
    {"\xd0\x9c\xd0\x98\xd0\xa0!",            "\xd0\x9c\xd0\x98\xd0\xa0 "                             },
    {"A\xe6\xbc\xa2\xe5\xad\x97\xe6\x96\x87"
     "B",                               "A \xe6\xbc\xa2\xe5\xad\x97 \xe5\xad\x97\xe6\x96\x87 B "},
    {"\xe6\xbc\xa2\xe3\x80\x82\xe5\xad\x97", "\xe6\xbc\xa2 \xe5\xad\x97 "                            },
    {"ABCDEFGHIJKLMNOPQRST",                 "ABCDEFGHIJKLMNOPQRST "                                 },
    {"12345678901234567890 1234567A",        "12345678901234567890 1234567A "                        },
};

static void
cuts(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t chars = 1; chars < 8; chars++)
            assert_str(tokens_of(a, str_from(rows[i].text), chars),
                       str_from(rows[i].tokens));
    arena_free(a);
}

/* The grams of a long run are all of it, whatever the pieces. */
static void
cuts_long_runs(void **state)
{
    struct arena *a = arena_new("test", (size_t)16 << 20);

    (void)state;
    for (size_t len = 9; len < 200; len++) {
        struct buf text = buf_in(a), want = buf_in(a);

        for (size_t i = 0; i < len; i++)
            buf_addc(&text,
                     i == len / 2 ? '7' : (char)('A' + (i * 7 + i / 5) % 26));
        for (size_t i = 0; i + 3 <= len; i++)
            buf_fmt(&want, "#%04x ", tokens_gram(text.p + i));
        buf_fmt(&want, "END ");
        buf_add(&text, S("-END"));

        /* One may come twice. */
        struct str got = tokens_of(a, buf_str(&text), len % 50 + 1), one;
        struct str wanted = buf_str(&want);

        while (str_word(&wanted, " ", &one))
            assert_true(str_search(got, one) >= 0);
        while (str_word(&got, " ", &one))
            assert_true(str_search(buf_str(&want), one) >= 0);
        arena_reset(a);
    }
    arena_free(a);
}

static void
cuts_runs(void **state)
{
    struct str text = S("-AB\xe6\xbc\xa2\xe5\xad\x97 C"), run;
    enum run_class class;

    (void)state;
    assert_true(tokens_run(&text, &run, &class));
    assert_str(run, S("AB"));
    assert_int_equal(class, RUN_SPACED);
    assert_true(tokens_run(&text, &run, &class));
    assert_str(run, S("\xe6\xbc\xa2\xe5\xad\x97"));
    assert_int_equal(class, RUN_UNSPACED);
    assert_true(tokens_run(&text, &run, &class));
    assert_str(run, S("C"));
    assert_false(tokens_run(&text, &run, &class));
}

TESTS(TEST(cuts), TEST(cuts_long_runs), TEST(cuts_runs))
