#include "mail/binary.h"

#include "mail/body.h"
#include "unit/test.h"

#define MULTI "Content-Type: multipart/mixed; boundary=b\r\n"
#define LABEL "Content-Transfer-Encoding: "

static struct buf out;

static bool
encode(struct arena *a, struct str message)
{
    struct binary b;
    struct str piece;

    out = buf_in(a);
    binary_begin(&b, a, message);
    while (binary_next(&b, &piece))
        buf_add(&out, piece);
    binary_end(&b);
    return b.good;
}

/* out NULL: cannot be kept. */
static const struct {
    struct str in;
    const char *out;
} cases[] = {
    {S("A: b\r\n\r\nplain\r\n"),                                     "A: b\r\n\r\nplain\r\n"},
    {S("A: b\r\n\r\npla\0in\r\n"),                                   NULL                   },
    {S(LABEL "BINARY\r\nA: b\r\n\r\na\0b"),
     LABEL "base64\r\nA: b\r\n\r\nYQBi\n"                                                   },
    {S("no field\r\n" LABEL "binary\r\n\r\na\nb\r"),
     "no field\r\n" LABEL "base64\r\n\r\nYQpiDQ==\n"                                        },
    {S(LABEL "binary\r\n" MULTI "\r\n--b\r\n" LABEL
             "binary\r\n\r\n\0\n\r\n--b\r\n"
             "\r\nx\r\n--b--\r\n"),
     LABEL "8bit\r\n" MULTI "\r\n--b\r\n" LABEL "base64\r\n\r\nAAo=\r\n--b\r\n"
           "\r\nx\r\n--b--\r\n"                                                             },
    {S(MULTI "\r\n--b\r\n" LABEL
             "binary\r\n\r\n\0\r\n--b\r\n\r\n\0\r\n--b--\r\n"),
     NULL                                                                                   },
    {S("Content-Type: message/rfc822\r\n" LABEL "binary\r\n\r\n" LABEL
       "binary\r\n\r\n\0"),
     "Content-Type: message/rfc822\r\n" LABEL "8bit\r\n\r\n" LABEL
     "base64\r\n\r\nAA==\n"                                                                 },
    {S(LABEL "binary\r\n\r\n"),                                      LABEL "base64\r\n\r\n" },
};

static void
messages(void **state)
{
    struct arena *a = arena_new("test", 16 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        bool whole = encode(a, cases[i].in);

        assert_int_equal(whole, cases[i].out != NULL);
        if (cases[i].out)
            assert_string_equal(buf_str(&out).p, cases[i].out);
    }
    arena_free(a);
}

/* What comes out of it is what went in, over any number of lines. */
static void
long_content(void **state)
{
    struct arena *a = arena_new("test", 64 << 20);
    struct buf in = buf_in(a), back = buf_in(a);
    struct structure s;
    struct body b;
    struct str piece;

    (void)state;
    buf_add(&in, S(LABEL "binary\r\n\r\n"));
    size_t header = in.len;

    for (unsigned i = 0; i < 300000; i++)
        buf_addc(&in, (char)(i * 7 + i / 256));
    assert_true(encode(a, buf_str(&in)));
    struct str message = buf_str(&out);

    assert_true(structure_read(a, structure_make(a, message), message.len, &s));
    body_open(a, message, &s, &s.parts[0], &b);
    while (body_next(&b, &piece))
        buf_add(&back, piece);
    assert_true(str_eq(buf_str(&back), str_sub(buf_str(&in), header, in.len)));
    arena_free(a);
}

/* Work of one call does not grow with the message. */
static void
small_steps(void **state)
{
    struct arena *a = arena_new("test", 256 << 20);
    struct buf in = buf_in(a);
    struct binary b;
    struct str piece;
    size_t calls = 0, size = 0, longest = 0;

    (void)state;
    buf_add(&in, S(LABEL "binary\r\n\r\n"));
    for (unsigned i = 0; i < 16 << 20; i++)
        buf_addc(&in, (char)i);
    binary_begin(&b, a, buf_str(&in));
    for (; binary_next(&b, &piece); calls++) {
        size += piece.len;
        longest = piece.len > longest ? piece.len : longest;
    }
    binary_end(&b);
    assert_true(b.good);
    assert_true(size > in.len * 4 / 3 && calls > 300 && longest < 100000);
    arena_free(a);
}

TESTS(TEST(messages), TEST(long_content), TEST(small_steps))
