#include "mail/subject.h"

#include "unit/test.h"

static const struct {
    const char *subject, *base;
    bool reply;
} rows[] = {
    {"hello",                         "hello",        false},
    {"Re: hello",                     "hello",        true },
    {"RE:hello",                      "hello",        true },
    {"re  [x] : hello",               "hello",        true },
    {"Fw: Fwd: re: a \t b",           "a b",          true },
    {"[list] Re: hello",              "hello",        true },
    {"Re: [list] [other] hello",      "hello",        true },
    {"[list] hello",                  "hello",        false},
    {"[list]",                        "[list]",       false},
    {"[a] [b]",                       "[b]",          false},
    {"[a [b] c",                      "[a [b] c",     false},
    {"hello (fwd)",                   "hello",        true },
    {"hello (FWD) (fwd)  ",           "hello",        true },
    {"[fwd: hello]",                  "hello",        true },
    {"[Fwd: [list] Re: hello (fwd)]", "hello",        true },
    {"[fwd: [fwd: x]]",               "x",            true },
    {"Re:",                           "",             true },
    {"",                              "",             false},
    {"Reply to all",                  "Reply to all", false},
    {"re",                            "re",           false},
    {"fwdx: y",                       "fwdx: y",      false},
};

static void
bases(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool reply;
        struct str got = subject_base(a, str_from(rows[i].subject), &reply);

        if (!str_eq(got, str_from(rows[i].base)) || reply != rows[i].reply)
            fail_msg("%s: got \"%.*s\" %d", rows[i].subject, STR(got), reply);
    }
    arena_free(a);
}

/* Texts that are made to be looked at again and again. */
static void
is_linear(void **state)
{
    static const char *const pieces[] = {
        "[a]", "[a] ", "re:", "[fwd:", "(fwd)", "[", "]", "fwd [a"};

    (void)state;
    for (size_t i = 0; i < COUNT(pieces); i++) {
        struct arena *a = arena_new("test", (size_t)64 << 20);
        struct buf b = buf_in(a);
        bool reply;

        while (b.len < 1000000)
            buf_add(&b, str_from(pieces[i]));
        (void)subject_base(a, buf_str(&b), &reply);
        buf_addc(&b, ']');
        (void)subject_base(a, buf_str(&b), &reply);
        arena_free(a);
    }
}

TESTS(TEST(bases), TEST(is_linear))
