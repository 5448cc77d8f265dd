#include "mail/downgrade.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "unit/test.h"

#define MULTI "Content-Type: multipart/mixed; boundary=b\n"
#define LABEL "Content-Transfer-Encoding: "

/* out NULL: needs no conversion. */
static const struct {
    const char *in, *out;
} cases[] = {
    {"A: b\n\nplain\n",                                                         NULL},
    {"A: b\n" LABEL "8bit\n\nplain\n",                                          NULL},
    {"A: j\xfcrg\n\nplain\n",                                                   NULL},
    {"MIME-Version: 1.0\nContent-Type: text/plain\n" LABEL "8bit\n\nj\xfcrg\n",
     "MIME-Version: 1.0\nContent-Type: text/plain\n" LABEL
     "quoted-printable\n\nj=FCrg\n"                                                 },
    {"A: b\n\nj\xfcrg = x \n",
     "A: b\nMIME-Version: 1.0\nContent-Type: text/plain; "
     "charset=unknown-8bit\n" LABEL "quoted-printable\n\nj=FCrg =3D x=20\n"         },
    {"MIME-Version: 1.0\n" MULTI LABEL "8bit\n\n--b\n" LABEL
     "8bit\n\nj\xfcrg\n\n--b\n" LABEL "base64\n\nYQ==\n--b\n" LABEL
     "7bit\n\nplain = x\n--b\n" LABEL "binary\n\nplain\n--b--\n",
     "MIME-Version: 1.0\n" MULTI LABEL "7bit\n\n--b\n"
     "Content-Type: text/plain; charset=unknown-8bit\n" LABEL
     "quoted-printable\n\nj=FCrg\n\n--b\n" LABEL "base64\n\nYQ==\n--b\n" LABEL
     "7bit\n\nplain = x\n--b\n" LABEL "7bit\n\nplain\n--b--\n"                      },
    {"MIME-Version: 1.0\nContent-Type: message/rfc822\n" LABEL
     "8bit\n\nMIME-Version: 1.0\nContent-Type: text/plain\nSubject: "
     "x\n\n\xfc\n",                                                        "MIME-Version: 1.0\nContent-Type: message/rfc822\n" LABEL
     "7bit\n\nMIME-Version: 1.0\nContent-Type: text/plain\nSubject: x\n" LABEL
     "quoted-printable\n\n=FC\n"                            },
    {"A: b\nno field \xfc: x\n",
     "A: b\nMIME-Version: 1.0\nContent-Type: text/plain; "
     "charset=unknown-8bit\n" LABEL "quoted-printable\n\nno field =FC: x\n"         },
 /* a lie: encoded, it says; left alone */
    {LABEL "base64\n\n\xfc\n",                                                  NULL},
};

static void
add(void *self, struct str bytes)
{
    buf_add(self, bytes);
}

static bool
downgraded(struct arena *a, struct str in, size_t piece, struct str *out)
{
    struct downgrade *d = downgrade_new(a);
    struct buf b = buf_in(a);

    for (size_t i = 0; i < in.len; i += piece)
        downgrade_look(d, str_sub(in, i, piece));

    bool needed = downgrade_needed(d);

    for (size_t i = 0; i < in.len; i += piece)
        downgrade_put(d, str_sub(in, i, piece), add, &b);
    downgrade_end(d, add, &b);
    *out = buf_str(&b);
    return needed;
}

static void
converts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t piece = 1; piece < 60; piece++) {
            struct arena *a = arena_new("test", 1 << 24);
            struct str out;
            bool needed = downgraded(a, str_from(cases[i].in), piece, &out);

            if (needed != (cases[i].out != NULL))
                fail_msg("case %zu", i);
            if (needed && !str_eq(out, str_from(cases[i].out)))
                fail_msg("case %zu in pieces of %zu:\n%.*s", i, piece,
                         STR(out));
            arena_free(a);
        }
}

/* More parts than are told apart: still 7bit. */
static void
many_parts(void **state)
{
    struct arena *a = arena_new("test", 64 << 20);
    struct buf b = buf_in(a);
    struct str out;

    (void)state;
    buf_add(&b, S(MULTI "\n"));
    for (int i = 0; i < 70000; i++)
        buf_add(&b, i % 2 ? S("--b\n\n\xfc\n") : S("--b\n\na=\n"));
    assert_true(downgraded(a, buf_str(&b), 30000, &out));
    assert_true(utf8_is_ascii(out));
    arena_free(a);
}

TESTS(TEST(converts), TEST(many_parts))
