#include "mail/decode.h"

#include "unit/test.h"

static const struct {
    enum mime_encoding encoding;
    const char *in, *out;
} rows[] = {
    {MIME_BASE64, "SGVsbG8g\r\nV29y bGQ=\r\nIQ==\r\n", "Hello World!"    },
    {MIME_BASE64, "SGVsbG8gV29ybG",                    "Hello Worl"      },
    {MIME_BASE64, "",                                  ""                },
    {MIME_BASE64, "=",                                 ""                },
    {MIME_BASE64, "A",                                 ""                },
    {MIME_QP,     "a=3Db  \r\nsoft=\r\nline=  \r\nx",  "a=b\r\nsoftlinex"},
    {MIME_QP,     "=XX =4\n=E4=",                      "=XX =4\n\xe4"    },
    {MIME_QP,     "a b  c\t\n d",                      "a b  c\n d"      },
    {MIME_QP,     "a =\n b",                           "a  b"            },
    {MIME_QP,     "a\rb\r\r\nc",                       "a\rb\r\r\nc"     },
    {MIME_QP,     "end  ",                             "end"             },
    {MIME_QP,     "=3d=3D",                            "=="              },
    {MIME_8BIT,   "a=3Db \r\n",                        "a=3Db \r\n"      },
    {MIME_7BIT,   "",                                  ""                },
};

static void
decodes(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str in = str_from(rows[i].in);

        for (size_t piece = 1; piece <= in.len + 1; piece++) {
            struct decoder d = {.encoding = rows[i].encoding};
            struct buf out = buf_in(a);

            for (size_t at = 0; at < in.len; at += piece)
                decode_put(&d, str_sub(in, at, piece), &out);
            decode_end(&d, &out);
            if (!str_eq(buf_str(&out), str_from(rows[i].out)))
                fail_msg("row %zu, pieces of %zu: got \"%.*s\"", i, piece,
                         STR(buf_str(&out)));
        }
    }
    arena_free(a);
}

/* Blanks without end are no work without end. */
static void
blanks(void **state)
{
    struct arena *a = arena_new("test", (size_t)64 << 20);
    struct buf in = buf_in(a), out = buf_in(a);
    struct decoder d = {.encoding = MIME_QP};

    (void)state;
    for (int i = 0; i < 5000000; i++)
        buf_addc(&in, ' ');
    buf_addc(&in, 'x');
    decode_put(&d, buf_str(&in), &out);
    decode_end(&d, &out);
    assert_int_equal(out.len, in.len);
    arena_free(a);
}

TESTS(TEST(decodes), TEST(blanks))
