#include "store/copier.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "unit/test.h"

#define FROM                                                                   \
    {                                                                          \
        .quote_from = true, .end_line = true                                   \
    }
#define DOTS                                                                   \
    {                                                                          \
        .stuff_dots = true                                                     \
    }
#define CRLF                                                                   \
    {                                                                          \
        .eol = { "\r\n", 2 }                                                   \
    }

static const struct {
    struct copier_style style;
    const char *in, *out;
} cases[] = {
    {{0},  "From a\n.\nb",             "From a\n.\nb"              },
    {FROM, "From a\nx\nFrom b\n",      ">From a\nx\n>From b\n"     },
    {FROM, ">From a\n From b\nFrom:c", ">From a\n From b\nFrom:c\n"},
    {FROM, "",                         ""                          },
    {FROM, "\n\nFrom ",                "\n\n>From \n"              },
    {FROM, "From",                     "From\n"                    },
    {DOTS, ".\n..\na.\n.b",            "..\n...\na.\n..b"          },
    {CRLF, "a\n\nb",                   "a\r\n\r\nb"                },
};

static struct str
copied(struct arena *a, struct str text, const struct copier_style *style)
{
    auto_close int fd = memfd_create("content", 0);
    struct store_message m = {.fd = fd, .from = 4, .to = 4 + (off_t)text.len};
    struct copier *c = copier_new(a, &m, style);
    struct buf b = buf_in(a);
    struct str bytes;

    assert_int_equal(pwrite(fd, "head", 4, 0), 4);
    assert_int_equal(pwrite(fd, text.p, text.len, 4), text.len);
    assert_int_equal(pwrite(fd, "tail", 4, m.to), 4);
    do {
        assert_true(copier_next(c, &bytes));
        buf_add(&b, bytes);
    } while (bytes.len);
    return buf_str(&b);
}

static void
styles(void **state)
{
    struct arena *a = arena_new("test", 64 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_str(copied(a, str_from(cases[i].in), &cases[i].style),
                   str_from(cases[i].out));
    arena_free(a);
}

/* Lines that begin around the edges of the copier's own buffer. */
static void
edges(void **state)
{
    const struct copier_style style = FROM;

    (void)state;
    for (size_t n = 65520; n < 65560; n++) {
        struct arena *a = arena_new("test", 64 << 20);
        struct buf in = buf_in(a), want = buf_in(a);
        char *x = arena_alloc(a, n);

        memset(x, 'x', n);
        buf_add(&in, (struct str){x, n});
        buf_fmt(&in, "\nFrom a\n");
        buf_add(&in, (struct str){x, n});
        buf_add(&in, (struct str){x, n});
        buf_fmt(&in, "From \nFrom b");
        buf_add(&want, (struct str){x, n});
        buf_fmt(&want, "\n>From a\n");
        buf_add(&want, (struct str){x, n});
        buf_add(&want, (struct str){x, n});
        buf_fmt(&want, "From \n>From b\n");
        if (!str_eq(copied(a, buf_str(&in), &style), buf_str(&want)))
            fail_msg("%zu", n);
        arena_free(a);
    }
}

static void
cut_short(void **state)
{
    struct arena *a = arena_new("test", 64 << 20);
    auto_close int fd = memfd_create("content", 0);
    struct store_message m = {.fd = fd, .from = 0, .to = 10};
    struct copier *c = copier_new(a, &m, &(struct copier_style){0});
    struct str bytes;

    (void)state;
    assert_int_equal(pwrite(fd, "12345", 5, 0), 5);
    assert_false(copier_next(c, &bytes));
    arena_free(a);
}

TESTS(TEST(styles), TEST(edges), TEST(cut_short))
