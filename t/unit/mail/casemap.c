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

/* Long texts are cut between characters. */
static void
maps_in_pieces(void **state)
{
    struct arena *a = arena_new("test", (size_t)16 << 20);
    struct buf text = buf_in(a), whole = buf_in(a), piece = buf_in(a);

    (void)state;
    for (int i = 0; i < 10000; i++)
        buf_add(&text, i % 3 ? S("\xc3\xa4") : S("x"));

    struct str rest = buf_str(&text);

    while (rest.len > 0)
        buf_add(&whole, casemap_next(&piece, &rest));
    assert_str(buf_str(&whole), casemap(a, buf_str(&text)));
    arena_free(a);
}

TESTS(TEST(compares), TEST(maps_in_pieces))
