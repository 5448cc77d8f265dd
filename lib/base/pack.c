#include "base/pack.h"

void
pack_num(struct buf *b, int64_t value)
{
    uint64_t v = ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);

    for (; v >= 0x80; v >>= 7)
        buf_addc(b, (char)(v | 0x80));
    buf_addc(b, (char)v);
}

void
pack_text(struct buf *b, struct str s)
{
    pack_num(b, (int64_t)s.len);
    buf_add(b, s);
}

bool
unpack_num(struct str *from, int64_t *value)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 70 && from->len > 0; shift += 7) {
        unsigned char c = (unsigned char)from->p[0];

        *from = str_sub(*from, 1, from->len);
        if (shift == 63 && c > 1)
            return false;
        v |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80) {
            *value = (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
            return true;
        }
    }
    return false;
}

bool
unpack_text(struct str *from, struct str *text)
{
    int64_t len;

    if (!unpack_num(from, &len) || len < 0 || (uint64_t)len > from->len)
        return false;
    *text = str_sub(*from, 0, (size_t)len);
    *from = str_sub(*from, (size_t)len, from->len);
    return true;
}
