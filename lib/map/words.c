#include "map/words.h"

static bool
is_separator(char c)
{
    return is_space(c) || c == ',';
}

bool
words_next(struct str *list, struct str *word)
{
    size_t from = 0, end, depth = 0;

    while (from < list->len && is_separator(list->p[from]))
        from++;
    for (end = from; end < list->len; end++) {
        char c = list->p[end];

        if (depth == 0 && is_separator(c))
            break;
        if (c == '{')
            depth++;
        else if (c == '}' && depth > 0)
            depth--;
    }
    *word = str_sub(*list, from, end - from);
    *list = str_sub(*list, end, list->len);
    return word->len > 0;
}

bool
words_unbrace(struct str *s)
{
    size_t depth = 0, i;

    if (s->len < 2 || s->p[0] != '{')
        return false;
    for (i = 0; i < s->len; i++) {
        if (s->p[i] == '{')
            depth++;
        else if (s->p[i] == '}' && --depth == 0)
            break;
    }
    if (i != s->len - 1)
        return false;
    *s = str_trim(str_sub(*s, 1, s->len - 2));
    return true;
}
