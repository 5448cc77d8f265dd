#include "conf/value.h"

bool
value_bool(struct str text, bool *value)
{
    bool yes = str_ieq(text, S("yes"));

    if (!yes && !str_ieq(text, S("no")))
        return false;
    *value = yes;
    return true;
}

bool
value_int(struct str text, int64_t *value)
{
    bool minus = str_skip(&text, S("-"));
    uint64_t n;

    if (!str_num(text, &n) || n > INT64_MAX)
        return false;
    *value = minus ? -(int64_t)n : (int64_t)n;
    return true;
}

static int64_t
unit_ms(char unit)
{
    switch (unit) {
    case 's':
        return 1000;
    case 'm':
        return 60 * 1000;
    case 'h':
        return 3600 * 1000;
    case 'd':
        return 24 * 3600 * 1000;
    case 'w':
        return 7 * 24 * 3600 * 1000;
    default:
        return 0;
    }
}

bool
value_time(struct str text, char unit, int64_t *ms)
{
    uint64_t n;
    int64_t factor;

    if (text.len > 0 && !is_digit(text.p[text.len - 1]))
        unit = text.p[--text.len];
    factor = unit_ms(to_lower(unit));

    /* Postfix holds seconds in an int; no more is accepted here either. */
    if (factor == 0 || !str_num(text, &n) ||
        n > INT32_MAX / (uint64_t)(factor / 1000))
        return false;
    *ms = (int64_t)n * factor;
    return true;
}

char
value_unit(struct str fallback)
{
    for (size_t i = 0; i < fallback.len; i++)
        if (is_alpha(fallback.p[i]))
            return fallback.p[i];
    return 's';
}

/* What stands before the brace that closes. */
static bool
cut_brace(struct str *list, struct str *word)
{
    size_t depth = 1;

    for (size_t i = 0; i < list->len; i++) {
        depth += list->p[i] == '{';
        depth -= list->p[i] == '}';
        if (depth == 0) {
            *word = str_trim(str_sub(*list, 0, i));
            *list = str_sub(*list, i + 1, list->len);
            return word->len > 0;
        }
    }
    return false;
}

bool
value_next(struct str *list, struct str *word)
{
    struct str rest;

    while (list->len && (is_space(list->p[0]) || list->p[0] == ','))
        *list = str_sub(*list, 1, list->len);
    rest = *list;
    if (!str_skip(&rest, S("{")))
        return str_word(list, ", \t\r\n", word);
    if (!cut_brace(&rest, word))
        return false;
    *list = rest;
    return true;
}
