#include "base/utf8.h"

#include "unit/test.h"

static void
validity(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } rows[] = {
        {"",                 1},
        {"abc",              1},
        {"\xc3\xbc",         1},
        {"\xe2\x82\xac",     1},
        {"\xf0\x9f\x98\x80", 1},
        {"\xef\xbf\xbf",     1},
        {"\xf4\x8f\xbf\xbf", 1},
        {"\xc3",             0},
        {"\xbc",             0},
        {"\xc0\x80",         0}, /* overlong */
        {"\xc1\xbf",         0}, /* overlong */
        {"\xe0\x9f\xbf",     0}, /* overlong */
        {"\xed\xa0\x80",     0}, /* surrogate */
        {"\xf0\x8f\xbf\xbf", 0}, /* overlong */
        {"\xf4\x90\x80\x80", 0}, /* over U+10FFFF */
        {"\xf5\x80\x80\x80", 0},
        {"\xe2\x82",         0},
        {"\xe2\x28\xa1",     0},
        {"a\xfc",            0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (utf8_valid(str_from(rows[i].text)) != rows[i].valid)
            fail_msg("row %zu", i);
}

static void
ascii(void **state)
{
    char text[40];

    (void)state;
    memset(text, 'a', sizeof text);
    assert_true(utf8_is_ascii((struct str){text, sizeof text}));
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = '\x80';
        assert_false(utf8_is_ascii((struct str){text, sizeof text}));
        assert_true(utf8_is_ascii((struct str){text, i}));
        text[i] = 'a';
    }
}

static void
characters(void **state)
{
    static const uint32_t all[] = {0x41,  0x7f,   0x80,    0x7ff,
                                   0x800, 0xffff, 0x10000, 0x10ffff};
    struct arena *a = arena_new("test", 1 << 16);
    struct buf b = buf_in(a);

    (void)state;
    for (size_t i = 0; i < COUNT(all); i++)
        utf8_put(&b, all[i]);
    utf8_put(&b, 0xd800);
    utf8_put(&b, 0x110000);

    struct str s = buf_str(&b);

    for (size_t i = 0; i < COUNT(all); i++)
        assert_int_equal(utf8_next(&s), all[i]);
    assert_int_equal(utf8_next(&s), 0xfffd);
    assert_int_equal(utf8_next(&s), 0xfffd);
    assert_int_equal(s.len, 0);
    s = S("\xe2\x82");
    assert_int_equal(utf8_next(&s), 0xfffd);
    assert_int_equal(s.len, 1);
    arena_free(a);
}

TESTS(TEST(validity), TEST(ascii), TEST(characters))
