#include <stdio.h>

#include "tls/digest.h"

#include "base/buf.h"
#include "unit/test.h"

static void
assert_hex(const uint8_t *got, size_t len, const char *want)
{
    char hex[2 * DIGEST_MAX + 1];

    for (size_t i = 0; i < len; i++)
        snprintf(hex + 2 * i, 3, "%02x", got[i]);
    assert_string_equal(hex, want);
}

static void
hashes(void **state)
{
    static const struct {
        enum digest digest;
        const char *want;
    } cases[] = {
        {DIGEST_MD5,    "900150983cd24fb0d6963f7d28e17f72"             },
        {DIGEST_SHA1,   "a9993e364706816aba3e25717850c26c9cd0d89d"     },
        {DIGEST_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410f"
                        "f61f20015ad"           },
        {DIGEST_SHA512, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9ee"
                        "ee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d442364"
                        "3ce80e2a9ac94fa54ca49f"},
    };
    const struct str pieces[] = {S("a"), S(""), S("bc")};
    uint8_t out[DIGEST_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        digest_of(cases[i].digest, pieces, COUNT(pieces), out);
        assert_hex(out, digest_size(cases[i].digest), cases[i].want);
    }
}

/* RFC 2202, RFC 4231. */
static void
hmac(void **state)
{
    uint8_t out[DIGEST_MAX];

    (void)state;
    digest_hmac(DIGEST_MD5, S("Jefe"), S("what do ya want for nothing?"), out);
    assert_hex(out, 16, "750c783e6ab0b503eaa86e310a5db738");
    digest_hmac(DIGEST_SHA256, S("Jefe"), S("what do ya want for nothing?"),
                out);
    assert_hex(
        out, 32,
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    digest_hmac(DIGEST_SHA1, S(""), S(""), out);
    assert_hex(out, 20, "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
}

/* RFC 6070. */
static void
pbkdf2(void **state)
{
    uint8_t out[20];

    (void)state;
    digest_pbkdf2(DIGEST_SHA1, S("password"), S("salt"), 4096, out, 20);
    assert_hex(out, 20, "4b007901b765489abead49d926f721d065a429c1");
}

static void
hmac_md5_in_two_steps(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct buf key = buf_in(a), data = buf_in(a);

    (void)state;
    for (int i = 0; i < 200; i++) {
        uint8_t half[32], got[16], want[16];

        digest_hmac_md5_state(buf_str(&key), half);
        digest_hmac_md5_resume(half, buf_str(&data), got);
        digest_hmac(DIGEST_MD5, buf_str(&key), buf_str(&data), want);
        assert_memory_equal(got, want, 16);
        buf_addc(&key, (char)i);
        buf_addc(&data, (char)(7 * i));
    }
    arena_free(a);
}

static void
equal(void **state)
{
    (void)state;
    assert_true(digest_equal(S("abc"), S("abc")));
    assert_true(digest_equal(S(""), S("")));
    assert_false(digest_equal(S("abc"), S("abd")));
    assert_false(digest_equal(S("abc"), S("ab")));
}

TESTS(TEST(hashes), TEST(hmac), TEST(pbkdf2), TEST(hmac_md5_in_two_steps),
      TEST(equal))
