#include "base/crc.h"

#include "unit/test.h"

/* RFC 3720 B.4, and the check value of the CRC catalogue. */
static void
known_values(void **state)
{
    char bytes[32];

    (void)state;
    assert_int_equal(crc32c(0, S("")), 0);
    assert_int_equal(crc32c(0, S("123456789")), 0xe3069283);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(crc32c(0, (struct str){bytes, 32}), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(crc32c(0, (struct str){bytes, 32}), 0x62a8ab43);
    for (int i = 0; i < 32; i++)
        bytes[i] = (char)i;
    assert_int_equal(crc32c(0, (struct str){bytes, 32}), 0x46dd794e);
}

static void
pieces_make_the_whole(void **state)
{
    struct str all = S("The quick brown fox jumps over the lazy dog, twice.");

    (void)state;
    for (size_t cut = 0; cut <= all.len; cut++) {
        uint32_t part = crc32c(0, str_sub(all, 0, cut));

        assert_int_equal(crc32c(part, str_sub(all, cut, all.len)),
                         crc32c(0, all));
    }
}

TESTS(TEST(known_values), TEST(pieces_make_the_whole))
