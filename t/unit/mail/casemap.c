#include "mail/casemap.h"

#include "unit/test.h"

/* Pairs that are the same (RFC 5051 2), or are not. */
static const struct {
    const char *a, *b;
    bool same;
} rows[] = {
    {"Hello",        "hELLO",                    true },
    {"",             "",                         true },
    {"a",            "b",                        false},
    {"stra\xc3\x9f"
     "e",       "STRA\xc3\x9f"
     "E",                          true },
    {"\xc3\xa9",     "\xc3\x89",                 true },
    {"\xc3\xa9",     "e\xcc\x81",                true }, /* decomposed */
    {"\xef\xbc\xa1", "a",                        true }, /* fullwidth A */
    {"\xef\xac\x81", "fi",                       false}, /* ligature: "fi" */
    {"\xd0\xb6",     "\xd0\x96",                 true }, /* Cyrillic */
    {"\xcf\x83",     "\xcf\x82",                 true }, /* both sigmas */
    {"\xc7\x86",     "\xc7\x84",                 true }, /* dz with caron */
    {"\xea\xb0\x80", "\xe1\x84\x80\xe1\x85\xa1", true }, /* Hangul */
    {"\xc3\x9f",     "\xe1\xba\x9e",             false}, /* sharp s has no titlecase */
    {"\xff",         "\xef\xbf\xbd",             true },
};

static void
compares(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_eq(casemap(a, str_from(rows[i].a)),
                   casemap(a, str_from(rows[i].b))) != rows[i].same)
            fail_msg("row %zu", i);
    arena_free(a);
}

static void
finds(void **state)
{
    struct arena *a = arena_new("test", (size_t)16 << 20);
    struct matcher *m = matcher_new(a, S("N\xc3\xa4"
                                         "dle"));
    struct str hay = S("a hayst\xc3\xa4"
                       "ck, a n\xc3\x84"
                       "DLE, more");

    (void)state;
    for (size_t piece = 1; piece < hay.len; piece++) {
        matcher_reset(m);
        bool found = false;

        for (size_t at = 0, len; at < hay.len; at += len) {
            len = piece;
            while (at + len < hay.len && (hay.p[at + len] & 0xc0) == 0x80)
                len++;
            found = matcher_put(m, str_sub(hay, at, len));
        }
        assert_true(found);
    }
    assert_false(matcher_find(m, S("n\xc3\xa4"
                                   "dl")));
    matcher_reset(m);
    assert_false(matcher_put(m, S("n\xc3\xa4"
                                  "d")));
    matcher_reset(m);
    assert_false(matcher_put(m, S("le")));
    assert_true(matcher_find(matcher_new(a, S("")), S("")));

    /* Across the pieces that it cuts itself, and a needle as long as them. */
    struct buf b = buf_in(a);

    for (int i = 0; i < 10000; i++)
        buf_add(&b, S("\xc3\xa4"));
    assert_true(matcher_find(matcher_new(a, buf_str(&b)), buf_str(&b)));
    buf_addc(&b, 'x');
    m = matcher_new(a, S("\xc3\x84\xc3\x84x"));
    assert_true(matcher_find(m, buf_str(&b)));
    arena_free(a);
}

TESTS(TEST(compares), TEST(finds))
