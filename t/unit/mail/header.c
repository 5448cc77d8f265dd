#include "mail/header.h"

#include "unit/test.h"

static void
fields(void **state)
{
    struct str rest = S("From: a@b\r\n"
                        "To : c@d,\r\n\te@f\r\n"
                        "X-Empty:\n"
                        "Subject: x\n y\n"
                        "\nbody: no\n");
    struct header_field f;

    (void)state;
    assert_true(header_next(&rest, &f));
    assert_str(f.name, S("From"));
    assert_str(f.body, S(" a@b"));
    assert_str(f.whole, S("From: a@b\r\n"));
    assert_int_equal(f.id, HEADER_ID_FROM);
    assert_true(header_next(&rest, &f));
    assert_str(f.name, S("To"));
    assert_str(f.body, S(" c@d,\r\n\te@f"));
    assert_true(header_next(&rest, &f));
    assert_str(f.body, S(""));
    assert_int_equal(f.id, HEADER_ID_OTHER);
    assert_true(header_next(&rest, &f));
    assert_str(f.body, S(" x\n y"));
    assert_false(header_next(&rest, &f));
    assert_str(rest, S("\nbody: no\n"));
}

static void
ends(void **state)
{
    static const struct {
        const char *message, *header, *body;
    } rows[] = {
        {"A: b\n\nc",        "A: b\n",        "c"         },
        {"A: b\r\n\r\nc",    "A: b\r\n",      "c"         },
        {"A: b\nno field\n", "A: b\n",        "no field\n"},
        {"\nbody",           "",              "body"      },
        {" x: y\n",          "",              " x: y\n"   },
        {": y\n",            "",              ": y\n"     },
        {"A: b",             "A: b",          ""          },
        {"A",                "",              "A"         },
        {"",                 "",              ""          },
        {"A b: c\n",         "",              "A b: c\n"  },
        {"A\xfc: c\n",       "",              "A\xfc: c\n"},
        {"A: b\n \n c\n\nd", "A: b\n \n c\n", "d"         },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str body;

        assert_str(header_of(str_from(rows[i].message), &body),
                   str_from(rows[i].header));
        assert_str(body, str_from(rows[i].body));
    }
}

static void
finds(void **state)
{
    struct str header = S("A: 1\nSubject: x\nsubject: y\n");
    struct header_field f;

    (void)state;
    assert_true(header_find(header, S("SUBJECT"), &f));
    assert_str(f.body, S(" x"));
    assert_false(header_find(header, S("To"), &f));
}

static void
tables(void **state)
{
    (void)state;
    assert_int_equal(header_id(S("bcc")), HEADER_ID_BCC);
    assert_true(header_flags(HEADER_ID_BCC) & HEADER_HIDDEN);
    assert_true(header_flags(HEADER_ID_RESENT_TO) & HEADER_RESENT);
    assert_int_equal(header_id(S("X-Other")), HEADER_ID_OTHER);
    assert_int_equal(header_flags(HEADER_ID_OTHER), 0);
    assert_true(HEADER_ID_COUNT <= 64); /* struct header_filter, seen */
}

/* Over what is no field, up to the empty line. */
static void
scans(void **state)
{
    struct str rest = S("From x\nA: 1\r\njunk\n folded\nB: 2\n 3\n\nC: 4\n");
    struct header_field f;

    (void)state;
    assert_true(header_scan(&rest, &f));
    assert_str(f.name, S("A"));
    assert_true(header_scan(&rest, &f));
    assert_str(f.body, S(" 2\n 3"));
    assert_false(header_scan(&rest, &f));
    assert_str(rest, S("\nC: 4\n"));
}

static void
unfolds(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);
    struct str plain = S("  a b ");

    (void)state;
    assert_str(header_unfold(a, S(" a\r\n\tb\n c ")), S("a\tb c"));
    assert_ptr_equal(header_unfold(a, plain).p, plain.p + 2);
    arena_free(a);
}

static void
puts_fields(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);
    struct buf b = buf_in(a);

    (void)state;
    header_put(&b, "Subject", S("one  two\r\nBcc: three"));
    assert_str(buf_str(&b), S("Subject: one two Bcc: three\n"));
    buf_reset(&b);
    header_put(&b, "References",
               S("<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.org> "
                 "<bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb@example.org>"));
    assert_str(buf_str(&b),
               S("References: <aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.org>\n"
                 "    <bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb@example.org>\n"));
    buf_reset(&b);
    header_put(&b, "X", S(""));
    header_put(&b, "Y", S("a\x01\x7f"));
    assert_str(buf_str(&b), S("X:\nY: a  \n"));
    arena_free(a);
}

TESTS(TEST(fields), TEST(ends), TEST(finds), TEST(tables), TEST(scans),
      TEST(unfolds), TEST(puts_fields))
