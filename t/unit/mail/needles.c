#include "mail/needles.h"

#include <stdlib.h>

#include "unit/test.h"

enum { ONE = 1, OTHER = 2 };

static void
put(struct needles *n, unsigned kind, const char *text)
{
    needles_begin(n, kind);
    needles_put(n, str_from(text));
}

static void
finds(void **state)
{
    struct str texts[] = {S("SHE"), S("HE"), S("HERS"), S(""),
                          S("HE"),  S("S"),  S("NOT")};
    struct arena *a = arena_new("test", (size_t)1 << 20);
    struct needles *n = needles_new(a, texts, COUNT(texts));

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_int_equal(needles_found(n, i), 0);
    put(n, ONE, "USHERS");
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_int_equal(needles_found(n, i), i < 6 ? ONE : 0);
    put(n, OTHER, "AHE");
    assert_int_equal(needles_found(n, 1), ONE | OTHER);
    assert_int_equal(needles_found(n, 3), ONE | OTHER);
    assert_int_equal(needles_found(n, 0), ONE);
    needles_forget(n);
    assert_int_equal(needles_found(n, 3), 0);
    put(n, ONE, "N");
    needles_put(n, S("O"));
    put(n, ONE, "T"); /* another text */
    assert_int_equal(needles_found(n, 6), 0);
    put(n, ONE, "NN");
    needles_put(n, S("OT"));
    assert_int_equal(needles_found(n, 6), ONE);
    n = needles_new(a, NULL, 0);
    put(n, ONE, "ABC");
    arena_free(a);
}

static struct str
random_text(struct arena *a, size_t max)
{
    size_t len = (size_t)rand() % (max + 1);
    char *p = arena_alloc(a, len + 1);

    for (size_t i = 0; i < len; i++)
        p[i] = (char)('A' + rand() % 3);
    return (struct str){p, len};
}

/* Few letters, so that much overlaps; compared with a plain search. */
static void
finds_what_is_there(void **state)
{
    struct arena *a = arena_new("test", (size_t)16 << 20);

    (void)state;
    srand(1);
    for (int round = 0; round < 2000; round++) {
        struct str texts[20], hay = random_text(a, 60), rest = hay;

        for (size_t i = 0; i < COUNT(texts); i++)
            texts[i] = random_text(a, 6);

        struct needles *n = needles_new(a, texts, COUNT(texts));

        needles_begin(n, ONE);
        while (rest.len > 0) {
            size_t len = 1 + (size_t)rand() % rest.len;

            needles_put(n, str_sub(rest, 0, len));
            rest = str_sub(rest, len, rest.len);
        }
        for (size_t i = 0; i < COUNT(texts); i++)
            assert_int_equal(needles_found(n, i) != 0,
                             texts[i].len == 0 ||
                                 str_search(hay, texts[i]) >= 0);
        arena_reset(a);
    }
    arena_free(a);
}

TESTS(TEST(finds), TEST(finds_what_is_there))
