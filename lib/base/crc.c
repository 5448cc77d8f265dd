#include "base/crc.h"

#include <pthread.h>

#define POLYNOMIAL 0x82f63b78u /* reflected */

static struct {
    pthread_once_t once;
    uint32_t table[8][256];
} soft = {.once = PTHREAD_ONCE_INIT};

static void
make_tables(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;

        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? c >> 1 ^ POLYNOMIAL : c >> 1;
        soft.table[0][i] = c;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (size_t t = 1; t < 8; t++)
            soft.table[t][i] = soft.table[t - 1][i] >> 8 ^
                               soft.table[0][soft.table[t - 1][i] & 0xff];
}

/* Eight bytes a step ("slicing by 8"). */
static uint32_t
crc_soft(uint32_t c, const unsigned char *p, size_t len)
{
    pthread_once(&soft.once, make_tables);
    for (; len >= 8; len -= 8, p += 8) {
        uint32_t low = c ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 |
                            (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);

        c = soft.table[7][low & 0xff] ^ soft.table[6][low >> 8 & 0xff] ^
            soft.table[5][low >> 16 & 0xff] ^ soft.table[4][low >> 24] ^
            soft.table[3][p[4]] ^ soft.table[2][p[5]] ^ soft.table[1][p[6]] ^
            soft.table[0][p[7]];
    }
    for (; len > 0; len--, p++)
        c = c >> 8 ^ soft.table[0][(c ^ *p) & 0xff];
    return c;
}

#ifdef __x86_64__

#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t
crc_hard(uint32_t c, const unsigned char *p, size_t len)
{
    uint64_t wide = c;

    for (; len >= 8; len -= 8, p += 8) {
        uint64_t word;

        memcpy(&word, p, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    c = (uint32_t)wide;
    for (; len > 0; len--, p++)
        c = _mm_crc32_u8(c, *p);
    return c;
}

static uint32_t
crc_any(uint32_t c, const unsigned char *p, size_t len)
{
    return __builtin_cpu_supports("sse4.2") ? crc_hard(c, p, len)
                                            : crc_soft(c, p, len);
}

#else
#define crc_any crc_soft
#endif

uint32_t
crc32c(uint32_t crc, struct str data)
{
    return ~crc_any(~crc, (const unsigned char *)data.p, data.len);
}
