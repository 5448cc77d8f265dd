#include "mail/header_filter.h"

#include "unit/test.h"

/* Drops Bcc, replaces Subject, adds Date. */
struct target {
    struct buf out;
    struct header_filter filter;
    unsigned cuts;
};

static void
put(void *self, struct str text)
{
    struct target *t = self;

    buf_add(&t->out, text);
}

static enum header_verdict
field(void *self, const struct header_field *f)
{
    struct target *t = self;

    t->cuts += f->cut;
    if (f->id == HEADER_ID_SUBJECT && !f->cut) {
        put(t, S("Subject: new\n"));
        return HEADER_DROP;
    }
    return f->id == HEADER_ID_BCC ? HEADER_DROP : HEADER_KEEP;
}

static void
end(void *self)
{
    put(self, S("Date: now\n"));
}

static const struct header_calls calls = {field, end, put};

static const struct {
    const char *in, *out;
} cases[] = {
    {"To: a\nBcc: b,\n c\nSubject: x\n y\n\nbody\n\nBcc: no\n",
     "To: a\nSubject: new\nDate: now\n\nbody\n\nBcc: no\n"                                                   },
    {"To: a\nno field\nx\n",                                              "To: a\nDate: now\n\nno field\nx\n"},
    {"To: a\n",                                                           "To: a\nDate: now\n"               },
    {"To: a",                                                             "To: a\nDate: now\n"               },
    {"",                                                                  "Date: now\n"                      },
    {"\nbody",                                                            "Date: now\n\nbody"                },
    {" x\n",                                                              "Date: now\n\n x\n"                },
    {"word",                                                              "Date: now\n\nword\n"              },
    {"Bcc: 0123456789012345678901234567890123456789\n 012345\nTo: b\n\n",
     "To: b\nDate: now\n\n"                                                                                  },
    {"To: 0123456789012345678901234567890123456789\n 012345\nBcc: b\n\n",
     "To: 0123456789012345678901234567890123456789\n 012345\nDate: now\n\n"                                  },
    {"01234567890123456789012345678901234567890123456789\nx\n",
     "Date: now\n\n01234567890123456789012345678901234567890123456789\nx\n"                                  },
    {"Received: a\nReceived: b\n\nReceived: c\n",
     "Received: a\nReceived: b\nDate: now\n\nReceived: c\n"                                                  },
};

static void
run(struct arena *a, struct target *t, struct str in, size_t piece)
{
    *t = (struct target){.out = buf_in(a)};
    header_filter_begin(&t->filter, a, 32, &calls, t);
    for (size_t i = 0; i < in.len; i += piece)
        header_filter_put(&t->filter, str_sub(in, i, piece));
    header_filter_end(&t->filter);
}

static void
filters(void **state)
{
    struct arena *a = arena_new("test", 1 << 24);
    struct target t;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t piece = 1; piece < 70; piece++) {
            run(a, &t, str_from(cases[i].in), piece);
            if (!str_eq(buf_str(&t.out), str_from(cases[i].out)))
                fail_msg("case %zu in pieces of %zu:\n%s", i, piece,
                         buf_str(&t.out).p);
        }
    arena_free(a);
}

static void
facts(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct target t;
    uint64_t one = 1;

    (void)state;
    run(a, &t,
        S("Received: a\nReceived: b\nDelivered-To: c\nFrom: d\n"
          "X: 0123456789012345678901234567890123456789\n\nTo: e\n"),
        7);
    assert_int_equal(t.filter.received, 2);
    assert_int_equal(t.filter.delivered_to, 1);
    assert_int_equal(t.cuts, 1);
    assert_true(t.filter.seen & one << HEADER_ID_FROM);
    assert_false(t.filter.seen & one << HEADER_ID_TO);
    assert_int_equal(t.filter.size, 12 + 12 + 16 + 8 + 44);
    arena_free(a);
}

TESTS(TEST(filters), TEST(facts))
