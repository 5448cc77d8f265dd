/*
 * arena.h - memory with a lifetime instead of an owner.
 *
 * Three lifetimes cover the suite: process, session, command. Each is an
 * arena with a name and a limit; nothing in it is freed, the whole is reset.
 * Allocation never fails: an arena over its limit ends the process with a log
 * line, so whoever fills one bounds its input first (arena_room).
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>

#include "base/str.h"

struct arena;

/* A new arena that may hold `limit` bytes; the name stands in the log. */
struct arena *arena_new(const char *name, size_t limit);
void arena_free(struct arena *a);

/* Forget everything in it; keeps one block for the next round. */
void arena_reset(struct arena *a);

/* Nothing is in it, and perhaps nothing will be for long: keep little. */
void arena_rest(struct arena *a);

/* Forget what held secrets: everything in it is overwritten first. */
void arena_wipe(struct arena *a);

/* Zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size);

/* Grow the newest allocation in place, or copy it to a larger one. */
void *arena_grow(struct arena *a, void *old, size_t old_size, size_t size);

/* Bytes that may still be allocated. */
size_t arena_room(const struct arena *a);

/* Give the system back what nobody uses: once a process has been set up. */
void arena_trim(void);

/* A copy that is followed by a NUL (not counted), so .p is a C string too. */
struct str arena_str(struct arena *a, struct str s);
/* The same as a C string; NULs in the view end it early for C. */
char *arena_cstr(struct arena *a, struct str s);
/* A copy in lower case (ASCII letters only). */
struct str arena_lower(struct arena *a, struct str s);
/* A formatted C string. */
char *arena_fmt(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
char *arena_vfmt(struct arena *a, const char *fmt, va_list args) PRINTF(2, 0);

#define arena_make(a, type) ((type *)arena_alloc((a), sizeof(type)))

#endif
