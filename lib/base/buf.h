/*
 * buf.h - bytes that grow, in an arena.
 *
 *     struct buf b = buf_in(arena);
 *     buf_fmt(&b, "%d", 1);
 *     struct str s = buf_str(&b);
 *
 * The view stays valid until the next buf_ call on the same buffer.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/arena.h"

struct buf {
    struct arena *arena;
    char *p;
    size_t len, cap;
};

struct buf buf_in(struct arena *a);
void buf_reset(struct buf *b);
void buf_add(struct buf *b, struct str s);
void buf_addc(struct buf *b, char c);
/* A number in decimal. */
void buf_num(struct buf *b, uint64_t n);
void buf_fmt(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
/* Room for n more bytes at the end; account for them with b->len += used. */
char *buf_space(struct buf *b, size_t n);
/* What it holds; followed by a NUL, so .p is a C string. */
struct str buf_str(struct buf *b);

#endif
