#include "map/fold.h"

#include <locale.h>
#include <wctype.h>

#include "base/utf8.h"

/* A daemon has no locale of its own. */
static locale_t
utf8_locale(void)
{
    static struct {
        bool tried;
        locale_t locale;
    } state;

    if (!state.tried)
        state.locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    state.tried = true;
    return state.locale;
}

static struct str
fold_wide(struct arena *a, struct str s)
{
    locale_t locale = utf8_locale();
    struct buf b = buf_in(a);

    if (locale == (locale_t)0 || !utf8_valid(s))
        return arena_lower(a, s);
    while (s.len > 0)
        utf8_put(&b, (uint32_t)towlower_l((wint_t)utf8_next(&s), locale));
    return buf_str(&b);
}

struct str
map_fold(struct arena *a, struct str s)
{
    if (!utf8_is_ascii(s))
        return fold_wide(a, s);
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] != to_lower(s.p[i]))
            return arena_lower(a, s);
    return s;
}
