#include "mail/mime_walk.h"

#include "unit/test.h"

/*
 * What is told, as text: "F0:" a field of part 0, "H0" the end of its header
 * ("h0" without empty line) with the part's kind, "T0:" text, "E0" its end,
 * "B:" between.
 */
struct told {
    struct buf log, bytes;
    char last; /* of T and B: pieces are joined */
};

static void
note(struct told *t, char what, const struct mime_part *p, struct str bytes)
{
    buf_add(&t->bytes, bytes);
    if (what != t->last && p)
        buf_fmt(&t->log, "%s%c%d:", t->log.len ? "|" : "", what,
                (int)p->number);
    else if (what != t->last)
        buf_fmt(&t->log, "%s%c:", t->log.len ? "|" : "", what);
    buf_add(&t->log, bytes);
    t->last = what == 'F' ? 0 : what;
}

static void
field(void *self, const struct mime_part *p, const struct header_field *f)
{
    note(self, 'F', p, f->whole);
}

static void
header_end(void *self, const struct mime_part *p, bool empty_line)
{
    struct told *t = self;

    buf_fmt(&t->log, "%s%c%d%c", t->log.len ? "|" : "", empty_line ? 'H' : 'h',
            (int)p->number, "LPMO"[p->kind]);
    if (empty_line)
        buf_addc(&t->bytes, '\n');
    t->last = 0;
}

static void
text(void *self, const struct mime_part *p, struct str bytes)
{
    note(self, 'T', p, bytes);
}

static void
text_end(void *self, const struct mime_part *p)
{
    struct told *t = self;

    buf_fmt(&t->log, "|E%d", (int)p->number);
    t->last = 0;
}

static void
between(void *self, struct str bytes)
{
    note(self, 'B', NULL, bytes);
}

static const struct mime_calls calls = {field, header_end, text, text_end,
                                        between};

#define MULTI  "Content-Type: multipart/mixed; boundary=b\n"
#define RFC822 "Content-Type: message/rfc822\n"

static const struct {
    const char *message, *want;
} cases[] = {
    {"A: b\n\ntext\n",                                                          "F0:A: b\n|H0L|T0:text\n|E0"},
    {"A: b\n",                                                                  "F0:A: b\n|h0L|E0"          },
    {"",                                                                        "h0L|E0"                    },
    {"\n",                                                                      "H0L|E0"                    },
    {"A: b\ntext\n",                                                            "F0:A: b\n|h0L|T0:text\n|E0"},
    {"A: b\n\n--b\n",                                                           "F0:A: b\n|H0L|T0:--b\n|E0" },
    {MULTI "\npre\n--b\nC: d\n\none\n--b\n\ntwo\n\n--b--\npost\n",
     "F0:" MULTI "|H0P|B:pre\n--b\n|F1:C: d\n|H1L|T1:one|E1|B:\n--b\n"
     "|H2L|T2:two\n|E2|B:\n--b--\npost\n"                                                                   },
    {MULTI "\n--b\nC: d\n--b--",                                                "F0:" MULTI "|H0P|B:--b\n|F1:C: d\n|h1L|E1|"
                                 "B:--b--"                                  },
    {MULTI "\n--b \t\n\nx\n--bb\n--b-\n- --b\n--b--",
     "F0:" MULTI "|H0P|B:--b \t\n|H1L|T1:x\n--bb\n--b-\n- --b|E1|B:\n--b--"                                 },
    {MULTI "\n--b\n\nnever closed\n",
     "F0:" MULTI "|H0P|B:--b\n|H1L|T1:never closed\n|E1"                                                    },
    {MULTI "\n--b\n" RFC822 "\nA: b\n\ninner\n--b--\n",
     "F0:" MULTI "|H0P|B:--b\n|F1:" RFC822 "|H1M|F2:A: b\n|H2L|T2:inner|E2|"
     "B:\n--b--\n"                                                                                          },
    {MULTI "\n--b\n" RFC822 "\n--b--\n",
     "F0:" MULTI "|H0P|B:--b\n|F1:" RFC822 "|H1M|h2L|E2|B:--b--\n"                                          },
    {MULTI "\n--b\n" RFC822 "--b--\n",
     "F0:" MULTI "|H0P|B:--b\n|F1:" RFC822 "|h1M|h2L|E2|B:--b--\n"                                          },
    {"Content-Type: multipart/digest; boundary=b\n\n--b\n\nA: b\n\nx\n--b--\n",
     "F0:Content-Type: multipart/digest; boundary=b\n|H0P|B:--b\n|H1M|"
     "F2:A: b\n|H2L|T2:x|E2|B:\n--b--\n"                                                                    },
    {"Content-Type: multipart/mixed\n\n--b\n",
     "F0:Content-Type: multipart/mixed\n|H0O|T0:--b\n|E0"                                                   },
    {"Content-Type: message/partial; id=x\n\nA: b\n",
     "F0:Content-Type: message/partial; id=x\n|H0O|T0:A: b\n|E0"                                            },
    {MULTI "Content-Transfer-Encoding: base64\n\n--b\n",
     "F0:" MULTI "|F0:Content-Transfer-Encoding: base64\n|H0O|T0:--b\n|E0"                                  },
    {"Content-Type: multipart/mixed; boundary=\"a:b\"\n\n--a:b\n--a:b--\n",
     "F0:Content-Type: multipart/mixed; boundary=\"a:b\"\n|H0P|B:--a:b\n|h1L|"
     "E1|B:--a:b--\n"                                                                                       },
 /* an inner multipart that is never closed; the outer's boundary counts */
    {MULTI "\n--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nx\n"
           "--b--\n",                                                      "F0:" MULTI "|H0P|B:--b\n|F1:Content-Type: multipart/mixed; boundary=c\n"
     "|H1P|B:--c\n|H2L|T2:x|E2|B:\n--b--\n"                                       },
};

static struct told
walk(struct arena *a, struct str message, size_t piece)
{
    struct told t = {.log = buf_in(a), .bytes = buf_in(a)};
    struct mime_walk *w = mime_walk_new(a, &calls, &t);

    for (size_t i = 0; i < message.len; i += piece)
        mime_walk_put(w, str_sub(message, i, piece));
    mime_walk_end(w);
    return t;
}

static void
structures(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t piece = 1; piece < 90; piece++) {
            struct arena *a = arena_new("test", 1 << 24);
            struct str message = str_from(cases[i].message);
            struct told t = walk(a, message, piece);

            if (!str_eq(buf_str(&t.log), str_from(cases[i].want)))
                fail_msg("case %zu in pieces of %zu:\n%s\nnot\n%s", i, piece,
                         buf_str(&t.log).p, cases[i].want);
            assert_str(buf_str(&t.bytes), message);
            arena_free(a);
        }
}

/* Deeper than allowed, more parts than anybody needs, one endless field. */
static void
bounds(void **state)
{
    struct arena *a = arena_new("test", 64 << 20);
    struct buf b = buf_in(a);

    (void)state;
    for (int i = 0; i < 200; i++)
        buf_fmt(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i,
                i);

    struct told t = walk(a, buf_str(&b), 1000);

    assert_str(buf_str(&t.bytes), buf_str(&b));
    buf_reset(&b);
    for (int i = 0; i < 200; i++)
        buf_add(&b, S(RFC822 "\n"));
    t = walk(a, buf_str(&b), 1000);
    assert_str(buf_str(&t.bytes), buf_str(&b));
    buf_reset(&b);
    buf_add(&b, S("A:"));
    while (b.len < 3 * MIME_FIELD_MAX)
        buf_add(&b, S(" xxxxxxxxxxxxxxxxxxx\n"));
    buf_add(&b, S("\ntext\n"));
    t = walk(a, buf_str(&b), 1000);
    assert_str(buf_str(&t.bytes), buf_str(&b));
    assert_true(str_ends(buf_str(&t.log), S("H0L|T0:text\n|E0")));
    arena_free(a);
}

TESTS(TEST(structures), TEST(bounds))
