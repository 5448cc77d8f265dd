#include "pattern.h"

#include "base/buf.h"

static bool
is_wild(char c)
{
    return c == '*' || c == '%';
}

struct str
pattern_make(struct arena *a, struct str text)
{
    struct buf b = buf_in(a);
    size_t plain = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];

        plain += !is_wild(c);
        if (plain > PATTERN_NAME_MAX)
            return (struct str){0};
        if (is_wild(c) && b.len > 0 && is_wild(b.p[b.len - 1])) {
            if (c == '*')
                b.p[b.len - 1] = '*';
        } else {
            buf_addc(&b, c);
        }
    }
    return buf_str(&b);
}

/* Which prefixes of the name the pattern so far has matched. */
struct reach {
    struct str name;
    char separator;
    size_t folded; /* bytes of it whose case does not count */
    bool at[PATTERN_NAME_MAX + 1];
    size_t first; /* the shortest one */
};

static bool
same(const struct reach *r, size_t i, char c)
{
    return i < r->folded ? to_lower(r->name.p[i]) == to_lower(c)
                         : r->name.p[i] == c;
}

static void
take_wild(struct reach *r, bool all)
{
    for (size_t i = r->first; i < r->name.len; i++)
        if (r->at[i] && (all || r->name.p[i] != r->separator))
            r->at[i + 1] = true;
}

/* False where nothing is left. */
static bool
take_byte(struct reach *r, char c)
{
    size_t first = r->name.len + 1;

    for (size_t i = r->name.len; i > r->first; i--) {
        r->at[i] = r->at[i - 1] && same(r, i - 1, c);
        if (r->at[i])
            first = i;
    }
    r->at[r->first] = false;
    r->first = first;
    return first <= r->name.len;
}

static size_t
folded(struct str name, char separator)
{
    struct str rest = name;

    return str_iskip(&rest, S("INBOX")) &&
                   (rest.len == 0 || rest.p[0] == separator)
               ? 5
               : 0;
}

bool
pattern_match(struct str pattern, struct str name, char separator)
{
    struct reach r = {.name = name,
                      .separator = separator,
                      .folded = folded(name, separator)};

    if (name.len > PATTERN_NAME_MAX)
        return false;
    if (str_eq(pattern, S("*")))
        return true;
    r.at[0] = true;
    for (size_t i = 0; i < pattern.len; i++)
        if (is_wild(pattern.p[i]))
            take_wild(&r, pattern.p[i] == '*');
        else if (!take_byte(&r, pattern.p[i]))
            return false;
    return pattern.len > 0 && r.at[name.len];
}
