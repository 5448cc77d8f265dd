#include "base/buf.h"

#include <stdio.h>

struct buf
buf_in(struct arena *a)
{
    return (struct buf){.arena = a};
}

void
buf_reset(struct buf *b)
{
    b->len = 0;
}

char *
buf_space(struct buf *b, size_t n)
{
    if (b->cap - b->len <= n) {
        size_t cap = b->cap ? b->cap * 2 : 64;

        while (cap - b->len <= n)
            cap *= 2;
        b->p = arena_grow(b->arena, b->p, b->cap, cap);
        b->cap = cap;
    }
    return b->p + b->len;
}

void
buf_add(struct buf *b, struct str s)
{
    if (s.len == 0)
        return;
    memcpy(buf_space(b, s.len), s.p, s.len);
    b->len += s.len;
}

void
buf_addc(struct buf *b, char c)
{
    *buf_space(b, 1) = c;
    b->len++;
}

void
buf_num(struct buf *b, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    buf_add(b, (struct str){digits + at, sizeof digits - at});
}

void
buf_fmt(struct buf *b, const char *fmt, ...)
{
    size_t room = b->cap - b->len;
    va_list args;

    va_start(args, fmt);
    int len = vsnprintf(b->p ? b->p + b->len : NULL, room, fmt, args);
    va_end(args);
    must(len >= 0);

    if ((size_t)len >= room) {
        char *at = buf_space(b, (size_t)len);

        va_start(args, fmt);
        vsnprintf(at, (size_t)len + 1, fmt, args);
        va_end(args);
    }
    b->len += (size_t)len;
}

struct str
buf_str(struct buf *b)
{
    *buf_space(b, 1) = '\0';
    return (struct str){b->p, b->len};
}
