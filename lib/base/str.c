#include "base/str.h"

#include <stdlib.h>

struct str
str_from(const char *s)
{
    return (struct str){s, s ? strlen(s) : 0};
}

char *
str_dup(struct str s)
{
    char *p = malloc(s.len + 1);

    must(p != NULL);
    if (s.len > 0)
        memcpy(p, s.p, s.len);
    p[s.len] = '\0';
    return p;
}

struct str
str_sub(struct str s, size_t from, size_t len)
{
    if (from > s.len)
        from = s.len;
    if (len > s.len - from)
        len = s.len - from;
    return (struct str){from ? s.p + from : s.p, len};
}

bool
str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool
str_ieq(struct str a, struct str b)
{
    return a.len == b.len && str_istarts(a, b);
}

int
str_cmp(struct str a, struct str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.p, b.p, n) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

bool
str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq(str_sub(s, 0, prefix.len), prefix);
}

bool
str_istarts(struct str s, struct str prefix)
{
    if (s.len < prefix.len)
        return false;
    for (size_t i = 0; i < prefix.len; i++)
        if (to_lower(s.p[i]) != to_lower(prefix.p[i]))
            return false;
    return true;
}

bool
str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len &&
           str_eq(str_sub(s, s.len - suffix.len, suffix.len), suffix);
}

bool
str_iends(struct str s, struct str suffix)
{
    return s.len >= suffix.len &&
           str_ieq(str_sub(s, s.len - suffix.len, suffix.len), suffix);
}

bool
str_skip(struct str *s, struct str prefix)
{
    if (!str_starts(*s, prefix))
        return false;
    *s = str_sub(*s, prefix.len, s->len);
    return true;
}

bool
str_iskip(struct str *s, struct str prefix)
{
    if (!str_istarts(*s, prefix))
        return false;
    *s = str_sub(*s, prefix.len, s->len);
    return true;
}

ssize_t
str_find(struct str s, char c)
{
    const char *at = s.len ? memchr(s.p, c, s.len) : NULL;

    return at ? at - s.p : -1;
}

ssize_t
str_rfind(struct str s, char c)
{
    const char *at = s.len ? memrchr(s.p, c, s.len) : NULL;

    return at ? at - s.p : -1;
}

ssize_t
str_search(struct str s, struct str needle)
{
    const char *at = s.len ? memmem(s.p, s.len, needle.p, needle.len) : NULL;

    return at ? at - s.p : -1;
}

bool
str_cut(struct str *s, char sep, struct str *head)
{
    ssize_t at = str_find(*s, sep);
    size_t len = at < 0 ? s->len : (size_t)at;

    if (head)
        *head = str_sub(*s, 0, len);
    *s = str_sub(*s, len + (at >= 0), s->len);
    return at >= 0;
}

bool
str_word(struct str *s, const char *seps, struct str *word)
{
    size_t from = 0, end;

    while (from < s->len && s->p[from] && strchr(seps, s->p[from]))
        from++;
    for (end = from; end < s->len; end++)
        if (s->p[end] && strchr(seps, s->p[end]))
            break;
    *word = str_sub(*s, from, end - from);
    *s = str_sub(*s, end, s->len);
    return word->len > 0;
}

struct str
str_trim(struct str s)
{
    while (s.len > 0 && is_space(s.p[0]))
        s = str_sub(s, 1, s.len);
    while (s.len > 0 && is_space(s.p[s.len - 1]))
        s.len--;
    return s;
}

static bool
number(struct str s, unsigned base, uint64_t *value)
{
    uint64_t v = 0;

    for (size_t i = 0; i < s.len; i++) {
        char c = to_lower(s.p[i]);
        unsigned digit = is_digit(c)   ? (unsigned)(c - '0')
                         : is_alpha(c) ? (unsigned)(c - 'a') + 10
                                       : 99;

        if (digit >= base || __builtin_mul_overflow(v, base, &v) ||
            __builtin_add_overflow(v, digit, &v))
            return false;
    }
    if (s.len == 0)
        return false;
    *value = v;
    return true;
}

bool
str_num(struct str s, uint64_t *value)
{
    return number(s, 10, value);
}

bool
str_hex(struct str s, uint64_t *value)
{
    return number(s, 16, value);
}
