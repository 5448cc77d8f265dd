#include "base/arena.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

#define ALIGN      ((size_t)16)
#define BLOCK_SIZE ((size_t)8192)
#define FIRST_SIZE ((size_t)1024) /* many hold next to nothing */

struct block {
    struct block *next; /* older */
    size_t size, used;
    _Alignas(16) char data[];
};

struct arena {
    const char *name;
    size_t limit, total;
    struct block *top;
};

struct arena *
arena_new(const char *name, size_t limit)
{
    struct arena *a = calloc(1, sizeof *a);

    if (a == NULL)
        log_fatal("out of memory: cannot make the %s arena", name);
    a->name = name;
    a->limit = limit;
    return a;
}

static void
drop_blocks(struct block *b)
{
    while (b) {
        struct block *next = b->next;

        free(b);
        b = next;
    }
}

void
arena_free(struct arena *a)
{
    if (a == NULL)
        return;
    drop_blocks(a->top);
    free(a);
}

void
arena_reset(struct arena *a)
{
    struct block *keep = a->top;

    a->total = 0;
    if (keep == NULL)
        return;
    drop_blocks(keep->next);
    keep->next = NULL;

    /* One huge message must not make a process huge for ever. */
    if (keep->size > 16 * BLOCK_SIZE) {
        free(keep);
        a->top = NULL;
        return;
    }
    keep->used = 0;
    a->total = keep->size;
}

void
arena_rest(struct arena *a)
{
    struct block *b = a->top;

    if (b == NULL || b->used > 0 || b->next || b->size <= FIRST_SIZE)
        return;
    free(b);
    a->top = NULL;
    a->total = 0;
}

void
arena_trim(void)
{
    malloc_trim(0);
}

void
arena_wipe(struct arena *a)
{
    for (struct block *b = a->top; b; b = b->next)
        explicit_bzero(b->data, b->used);
    arena_reset(a);
}

static struct block *
add_block(struct arena *a, size_t size)
{
    size_t block = a->top ? BLOCK_SIZE : FIRST_SIZE;
    size_t want = size > block / 2 ? size : block - sizeof(struct block);
    struct block *b;

    if (want > a->limit || a->total > a->limit - want)
        log_fatal("the %s memory is over its limit of %zu bytes", a->name,
                  a->limit);
    b = malloc(sizeof *b + want);
    if (b == NULL)
        log_fatal("out of memory in the %s arena", a->name);
    b->next = a->top;
    b->size = want;
    b->used = 0;
    a->top = b;
    a->total += want;
    return b;
}

static size_t
aligned(size_t size)
{
    return (size + ALIGN - 1) & ~(ALIGN - 1);
}

void *
arena_alloc(struct arena *a, size_t size)
{
    struct block *b = a->top;

    must(size < SIZE_MAX / 2);
    size = aligned(size);
    if (b == NULL || b->size - b->used < size)
        b = add_block(a, size);

    void *p = b->data + b->used;

    b->used += size;
    memset(p, 0, size);
    return p;
}

void *
arena_grow(struct arena *a, void *old, size_t old_size, size_t size)
{
    struct block *b = a->top;
    size_t rounded = aligned(old_size);

    must(size >= old_size && size < SIZE_MAX / 2);
    size = aligned(size);
    if (old && b && b->used >= rounded &&
        (char *)old == b->data + (b->used - rounded) &&
        b->size - b->used >= size - rounded) {
        memset(b->data + b->used, 0, size - rounded);
        b->used += size - rounded;
        return old;
    }

    void *p = arena_alloc(a, size);

    if (old)
        memcpy(p, old, old_size);
    return p;
}

size_t
arena_room(const struct arena *a)
{
    size_t spare = a->top ? a->top->size - a->top->used : 0;

    return a->limit - a->total + spare;
}

struct str
arena_str(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.len + 1);

    if (s.len)
        memcpy(p, s.p, s.len);
    return (struct str){p, s.len};
}

char *
arena_cstr(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.len + 1);

    if (s.len)
        memcpy(p, s.p, s.len);
    return p;
}

struct str
arena_lower(struct arena *a, struct str s)
{
    char *p = arena_cstr(a, s);

    for (size_t i = 0; i < s.len; i++)
        p[i] = to_lower(p[i]);
    return (struct str){p, s.len};
}

/* Printed where the next thing would be put: mostly there is room. */
char *
arena_vfmt(struct arena *a, const char *fmt, va_list args)
{
    struct block *b = a->top;
    size_t room = b ? b->size - b->used : 0;
    char *p = b ? b->data + b->used : NULL;
    va_list again;

    va_copy(again, args);
    int len = vsnprintf(p, room, fmt, args);

    must(len >= 0);

    size_t size = aligned((size_t)len + 1);

    if (size <= room) {
        b->used += size;
    } else {
        if (room)
            memset(p, 0, room); /* arena_wipe wipes what is used */
        p = arena_alloc(a, size);
        vsnprintf(p, size, fmt, again);
    }
    va_end(again);
    return p;
}

char *
arena_fmt(struct arena *a, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    char *p = arena_vfmt(a, fmt, args);
    va_end(args);
    return p;
}
