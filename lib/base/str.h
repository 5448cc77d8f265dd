/*
 * str.h - a view of bytes that somebody else owns.
 *
 * Passed by value, never freed, not terminated, may hold NUL. Parsers cut
 * views out of their input, so parsing copies nothing. Letters are compared
 * as ASCII whatever the locale.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <string.h>
#include <sys/types.h>

#include "base/base.h"

struct str {
    const char *p;
    size_t len;
};

/* A literal as a view, and a view as the two arguments of "%.*s". */
#define S(literal) ((struct str){("" literal), sizeof(literal) - 1})
#define STR(s)     (int)(s).len, (s).p

/* The view of a C string; of NULL, the empty view with a NULL pointer. */
struct str str_from(const char *s);

/* A copy with a NUL behind it, for free(). */
char *str_dup(struct str s);

/* The part from byte `from`, at most `len` bytes; both are clipped. */
struct str str_sub(struct str s, size_t from, size_t len);

bool str_eq(struct str a, struct str b);
bool str_ieq(struct str a, struct str b);
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_istarts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_iends(struct str s, struct str suffix);

/* Step over the prefix if it is there; tells whether it was. */
bool str_skip(struct str *s, struct str prefix);
bool str_iskip(struct str *s, struct str prefix);

/* Offset of the first or last such byte, of the first such bytes, or -1. */
ssize_t str_find(struct str s, char c);
ssize_t str_rfind(struct str s, char c);
ssize_t str_search(struct str s, struct str needle);

/*
 * Cut everything before the first sep into *head and leave what follows sep
 * in *s. Without a sep *head is all of it and *s is left empty. Tells whether
 * there was a sep. head may be NULL.
 */
bool str_cut(struct str *s, char sep, struct str *head);

/* Cut the next word between bytes of `seps`; false when none is left. */
bool str_word(struct str *s, const char *seps, struct str *word);

/* Without blanks, tabs, CR and LF on both sides. */
struct str str_trim(struct str s);

/* The whole view as an unsigned decimal or hexadecimal number; false if it is
 * empty, has any other byte or does not fit. */
bool str_num(struct str s, uint64_t *value);
bool str_hex(struct str s, uint64_t *value);

/* ASCII classes that do not depend on the locale. */
static inline bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool
is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
is_alnum(char c)
{
    return is_digit(c) || is_alpha(c);
}

static inline bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static inline bool
is_space(char c)
{
    return is_blank(c) || c == '\r' || c == '\n';
}

static inline char
to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline char
to_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

#endif
