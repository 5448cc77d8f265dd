#include "mail/qp.h"

#include "unit/test.h"

static struct str
encoded(struct arena *a, struct str in, size_t piece)
{
    struct buf out = buf_in(a);
    struct qp q = {0};

    for (size_t i = 0; i < in.len; i += piece)
        qp_encode(&q, str_sub(in, i, piece), &out);
    qp_encode_end(&q, &out);
    return buf_str(&out);
}

static void
encodes(void **state)
{
    static const struct {
        const char *plain, *text;
    } rows[] = {
        {"abc\n",             "abc\n"            },
        {"j\xc3\xbcrg = 1\n", "j=C3=BCrg =3D 1\n"},
        {"a \nb\t\n c",       "a=20\nb=09\n c"   },
        {"a ",                "a=20"             },
        {"a\r\n",             "a=0D\n"           },
        {"\n\n",              "\n\n"             },
        {"\t\n",              "=09\n"            },
    };
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t piece = 1; piece < 9; piece++) {
            struct buf back = buf_in(a);
            struct str text = encoded(a, str_from(rows[i].plain), piece);

            assert_str(text, str_from(rows[i].text));
            qp_decode(&back, text, false);
            assert_str(buf_str(&back), str_from(rows[i].plain));
        }
    arena_free(a);
}

static void
line_lengths(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    char bytes[3000];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 % 251);

    struct str all = {bytes, sizeof bytes}, text = encoded(a, all, 11), line;
    struct buf back = buf_in(a);

    qp_decode(&back, text, false);
    assert_str(buf_str(&back), all);
    for (bool more = true; more;) {
        more = str_cut(&text, '\n', &line);
        assert_true(line.len <= 76);
        assert_true(line.len == 0 || !is_blank(line.p[line.len - 1]));
    }
    arena_free(a);
}

static void
decodes(void **state)
{
    static const struct {
        const char *text, *plain;
        bool word;
    } rows[] = {
        {"a=3Db=3db",   "a=b=b", 0},
        {"a=\nb",       "ab",    0},
        {"a=  \nb",     "ab",    0},
        {"a   \nb",     "a\nb",  0},
        {"a=XYb=",      "a=XYb", 0},
        {"a=4",         "a=4",   0},
        {"a_b",         "a_b",   0},
        {"a_b=5F",      "a b_",  1},
        {"a=\r\nb\r\n", "ab\n",  0},
    };
    struct arena *a = arena_new("test", 1 << 16);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = buf_in(a);

        qp_decode(&out, str_from(rows[i].text), rows[i].word);
        assert_str(buf_str(&out), str_from(rows[i].plain));
    }
    arena_free(a);
}

TESTS(TEST(encodes), TEST(line_lengths), TEST(decodes))
