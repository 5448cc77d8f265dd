#include "mail/mime.h"

#include "unit/test.h"

/* want: "type/subtype|name=value|name=value" */
static const struct {
    const char *body, *want;
} cases[] = {
    {" text/plain",                                                    "text/plain"                                                     },
    {"TEXT/HTML; Charset=UTF-8",                                       "text/html|charset=UTF-8"                                        },
    {"multipart/mixed;\r\n\tboundary=\"a;b\\\"c\"",
     "multipart/mixed|boundary=a;b\"c"                                                                                                  },
    {"(a) text/plain (b;c) ; (d) x = y (e); z=\"1\"",                  "text/plain|x=y|z=1"                                             },
    {"text/plain;;; a=b;",                                             "text/plain|a=b"                                                 },
    {"text/plain; a",                                                  "text/plain"                                                     },
    {"text/plain; a; b=c",                                             "text/plain|b=c"                                                 },
    {"text/plain; =x; b=c",                                            "text/plain|b=c"                                                 },
    {"text/plain; a=1; A=2",                                           "text/plain|a=1"                                                 },
    {"text/plain; name=\"never closed",                                "text/plain|name=never closed"                                   },
    {"attachment; filename=x y.txt; size=3",                           "attachment/|filename=x|size=3"                                  },
    {"application/x-stuff; title*0*=us-ascii'en'This%20is%20even%20more%20;"
     " title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\"", "application/x-stuff|title=This is even more ***fun*** isn't it!"},
    {"x/y; t*=utf-8''J%C3%BCrg",                                       "x/y|t=J\xc3\xbcrg"                                              },
    {"x/y; t*=iso-8859-1'de'J%FCrg",                                   "x/y|t=J\xc3\xbcrg"                                              },
    {"x/y; t*1=b; t*0=a; t*3=d",                                       "x/y|t=ab"                                                       },
    {"x/y; t*=plain",                                                  "x/y|t=plain"                                                    },
    {"x/y; t*=%zz%4",                                                  "x/y|t=%zz%4"                                                    },
    {"",                                                               ""                                                               },
    {";a=b",                                                           ""                                                               },
};

static void
values(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mime_value v;
        struct buf b = buf_in(a);

        if (mime_parse(a, str_from(cases[i].body), &v)) {
            buf_fmt(&b, "%.*s/%.*s", STR(v.type), STR(v.subtype));
            for (size_t k = 0; k < v.count; k++)
                buf_fmt(&b, "|%.*s=%.*s", STR(v.params[k].name),
                        STR(v.params[k].value));
        }
        if (!str_eq(buf_str(&b), str_from(cases[i].want)))
            fail_msg("%s: got %s", cases[i].body, buf_str(&b).p);
    }
    arena_free(a);
}

static void
lookups(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);
    struct mime_value v;

    (void)state;
    assert_true(mime_parse(a, S("a/b; c=d"), &v));
    assert_str(mime_param(&v, S("c")), S("d"));
    assert_null(mime_param(&v, S("e")).p);
    arena_free(a);
}

static void
bounds(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct buf b = buf_in(a);
    struct mime_value v;

    (void)state;
    buf_add(&b, S("a/b"));
    for (int i = 0; i < 5000; i++)
        buf_fmt(&b, "; p%d=x", i);
    assert_true(mime_parse(a, buf_str(&b), &v));
    assert_int_equal(v.count, MIME_PARAMS_MAX);
    arena_free(a);
}

static void
encodings(void **state)
{
    (void)state;
    assert_int_equal(mime_encoding(S(" 8BIT ")), MIME_8BIT);
    assert_int_equal(mime_encoding(S("Quoted-Printable (x)")), MIME_QP);
    assert_int_equal(mime_encoding(S("")), MIME_7BIT);
    assert_int_equal(mime_encoding(S("base64;")), MIME_BASE64);
    assert_int_equal(mime_encoding(S("uuencode")), MIME_ENCODING_OTHER);
}

TESTS(TEST(values), TEST(lookups), TEST(bounds), TEST(encodings))
