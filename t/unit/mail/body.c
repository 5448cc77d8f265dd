#include "mail/body.h"

#include "mail/casemap.h"
#include "mail/preview.h"
#include "mail/search_text.h"
#include "sys/charsets.h"
#include "unit/messages.h"

static struct arena *arena, *scratch;
static struct converters *more;
static struct structure structure;

static struct str
open_message(struct str message)
{
    assert_true(structure_read(arena, structure_make(arena, message),
                               message.len, &structure));
    return message;
}

static struct str
open_file(const char *name)
{
    return open_message(message_file(arena, str_from(name)));
}

static void
begin(void)
{
    arena = arena_new("test", (size_t)256 << 20);
    scratch = arena_new("scratch", (size_t)64 << 20);
    more = charsets_new(arena);
}

static void
end(void)
{
    charsets_free(more);
    arena_free(scratch);
    arena_free(arena);
}

static struct str
content(struct str message, const uint32_t *numbers, size_t depth)
{
    const struct structure_part *p = section_part(&structure, numbers, depth);
    struct buf all = buf_in(arena);
    struct body b;
    struct str piece;
    uint64_t size;

    assert_non_null(p);
    body_open(arena, message, &structure, p, &b);
    while (body_next(&b, &piece))
        buf_add(&all, piece);
    body_open(arena, message, &structure, p, &b);
    if (body_known_size(&b, &size))
        assert_int_equal(size, all.len);
    return buf_str(&all);
}

/* BINARY of parts. */
static void
contents(void **state)
{
    static const struct {
        const char *file;
        uint32_t numbers[3];
        size_t depth;
        const char *want;
    } rows[] = {
        {"plain",       {1},    1, "Hello\\r\\nWorld\\r\\n"                },
        {"alternative", {1},    1, "Gr\\xc3\\xbc\\xc3\\x9fe\\r\\nsoft line"},
        {"nested",      {1, 2}, 2, "\\x00\\x01\\x02"                       },
        {"base64-odd",  {1},    1, "Hello World!"                          },
        {"base64-cut",  {1},    1, "Hello Worl"                            },
        {"qp",          {1},    1, "a=b\\r\\nsoftline=XX =4\\r\\n\\xe4"    },
        {"nul",         {1},    1, "bo\\x00dy\\r\\n"                       },
        {"mixed-ends",  {1},    1, "line one\\r\\nline two\\r\\nline three"},
        {"missing-all", {0},    0, "no boundary at all\\r\\n"              },
    };

    (void)state;
    begin();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str got =
            escaped(arena, content(open_file(rows[i].file), rows[i].numbers,
                                   rows[i].depth));

        if (!str_eq(got, str_from(rows[i].want)))
            fail_msg("%s: got %.*s", rows[i].file, STR(got));
    }
    struct str m = open_file("nul");
    struct body b;
    struct str piece;

    body_open_message(arena, m, &structure, &b);
    assert_true(body_next(&b, &piece));
    assert_str(
        escaped(arena, piece),
        S("From: a@b\\r\\nSubject: nu\\x00l\\r\\nTo: a\\x00b@c\\r\\n\\r\\n"
          "bo\\x00dy\\r\\n"));
    assert_false(body_next(&b, &piece));
    open_file("cte-unknown");
    assert_false(body_is_known(&structure.parts[0]));
    end();
}

static bool
found(struct str message, const char *text, bool headers)
{
    struct str needle = casemap(arena, str_from(text));
    struct needles *n = needles_new(arena, &needle, 1);
    struct text_piece piece;
    struct text_walk w;

    text_begin(&w, scratch, more, message, &structure,
               TEXT_BODY | (headers ? TEXT_HEADER : 0));
    while (text_next(&w, &piece)) {
        if (piece.begins)
            needles_begin(n, piece.kind);
        needles_put(n, piece.text);
    }
    return needles_found(n, 0) != 0;
}

static bool
in_field(struct str message, const char *text, struct str field)
{
    struct str needle = casemap(arena, str_from(text)), body;
    struct str header = header_of(message, &body);
    struct needles *n = needles_new(arena, &needle, 1);

    while (search_field(scratch, more, n, &header, field))
        ;
    return needles_found(n, 0) != 0;
}

static void
searches(void **state)
{
    struct str m;

    (void)state;
    begin();
    m = open_file("alternative");
    assert_true(found(m,
                      "GR\xc3\x9c\xc3\x9f"
                      "E\r\nsoft LINE",
                      false));
    assert_true(found(m, "<p>", false));
    assert_false(found(m, "preamble", false));
    assert_false(found(m, "epilogue", true));
    assert_false(found(m, "line<p>", false));
    assert_true(found(m, "", false));
    assert_false(found(m, "hello", false));
    assert_true(found(m, "subject: HELLO", true));
    assert_true(found(m, "boundary=\"b1\"", true));
    assert_false(found(m, "helloDate", true));
    m = open_file("nested");
    assert_true(found(m, "DEEP one", false));
    assert_false(found(m, "plain inner", false));
    assert_true(found(m, "plain inner", true));
    m = open_file("from-line");
    assert_true(found(m, "from ANA@example", true));
    m = open_file("envelope");
    assert_true(in_field(m, "j\xc3\xbcrg", S("SENDER")));
    assert_false(in_field(m, "j\xc3\xbcrg", S("From")));
    assert_true(in_field(m, "summary  and minutes", S("subject")));
    assert_true(in_field(m, "", S("subject")));
    assert_false(in_field(m, "", S("x-none")));
    end();
}

/* Texts that say what they are, do not, or lie; characters and words over the
 * bounds of pieces. */
static void
charsets(void **state)
{
    static const struct {
        const char *type, *text, *needle;
    } rows[] = {
        {"text/plain; charset=koi8-r",          "\xc1\xc2\xd7",
         "\xd0\x90\xd0\xb1\xd0\xb2"                                               },
        {"text/plain; charset=\"iso-2022-jp\"", "\x1b$B$\"$$\x1b(B",
         "\xe3\x81\x82\xe3\x81\x84"                                               },
        {"text/plain",                          "gr\xfcn",           "GR\xc3\x9cN"},
        {"text/plain; charset=us-ascii",        "gr\xc3\xbcn",       "gr\xc3\xbcn"},
        {"text/plain; charset=x-unknown",       "gr\xc3\xbcn",       "gr\xc3\xbcn"},
        {"text/plain; charset=utf-8",           "gr\xc3\xbcn",       "gr\xc3\xbcn"},
    };

    (void)state;
    begin();
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t pad = 8185; pad < 8195; pad++) {
            struct buf b = buf_in(arena);

            buf_fmt(&b, "Content-Type: %s\n\n", rows[i].type);
            for (size_t n = 0; n < pad; n++)
                buf_addc(&b, 'x');
            buf_add(&b, str_from(rows[i].text));
            buf_add(&b, S("\n"));
            if (!found(open_message(buf_str(&b)), rows[i].needle, false))
                fail_msg("%s: pad %zu", rows[i].type, pad);
        }
    end();
}

static void
previews(void **state)
{
    static const struct {
        const char *file, *want;
    } rows[] = {
        {"plain",           "Hello World"                      },
        {"alternative",     "Gr\\xc3\\xbc\\xc3\\x9fe soft line"},
        {"html-only",       "Hello & bye next"                 },
        {"quoted-reply",    "new text here"                    },
        {"nested",          "x"                                },
        {"attachment-only", ""                                 },
        {"empty",           ""                                 },
        {"latin1",          "K\\xc3\\xb6rper"                  },
        {"missing-end",     "one"                              },
    };

    (void)state;
    begin();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str m = open_file(rows[i].file);
        struct str got = escaped(arena, preview(arena, m, &structure, more));

        if (!str_eq(got, str_from(rows[i].want)))
            fail_msg("%s: got %.*s", rows[i].file, STR(got));
    }
    end();
}

static void
html(void **state)
{
    static const struct {
        const char *html, *want;
    } rows[] = {
        {"<b>a</b>b<br>c",                       "ab c"                     },
        {"<STYLE>x</STYLE >y<script>z</script>", "y"                        },
        {"a<!-- <b> -->b",                       "ab"                       },
        {"a<!-- b",                              "a"                        },
        {"&lt;&#65;&#x42;&amp;amp;&nope;&",      "<AB&amp;&nope;&"          },
        {"<style>never ends",                    ""                         },
        {"a<unclosed",                           "a"                        },
        {"&#1114112;&#55296;",                   "&#1114112;\\xef\\xbf\\xbd"},
    };

    (void)state;
    begin();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf b = buf_in(arena);

        buf_fmt(&b, "Content-Type: text/html\n\n%s", rows[i].html);

        struct str m = open_message(buf_str(&b));
        struct str got = escaped(arena, preview(arena, m, &structure, more));

        if (!str_eq(got, str_from(rows[i].want)))
            fail_msg("%s: got %.*s", rows[i].html, STR(got));
    }

    struct buf b = buf_in(arena);

    buf_add(&b, S("\n"));
    for (int i = 0; i < 500; i++)
        buf_add(&b, S("\xc3\xbc "));

    struct str got =
        preview(arena, open_message(buf_str(&b)), &structure, more);

    assert_int_equal(got.len, 300);
    end();
}

TESTS(TEST(contents), TEST(searches), TEST(charsets), TEST(previews),
      TEST(html))
