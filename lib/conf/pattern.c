#include "conf/pattern.h"

bool
pattern_is_any(struct str part)
{
    return str_eq(part, S("*"));
}

bool
pattern_parse(struct str text, size_t min, size_t max, struct pattern *out)
{
    struct str *parts[] = {&out->name, &out->type, &out->part};
    size_t count = 0;
    bool more = true;

    must(max <= COUNT(parts));
    *out = (struct pattern){S("*"), S("*"), S("*")};
    while (more) {
        struct str part;

        more = str_cut(&text, '/', &part);
        if (count == max || part.len == 0 ||
            (part.len > 1 && str_find(part, '*') >= 0))
            return false;
        *parts[count++] = part;
    }
    return count >= min;
}

static bool
part_matches(struct str pattern, struct str text)
{
    return pattern_is_any(pattern) || str_eq(pattern, text);
}

bool
pattern_matches(const struct pattern *p, struct str name, struct str type)
{
    return part_matches(p->name, name) && part_matches(p->type, type);
}

bool
pattern_column(struct str name, enum service_column *column)
{
    for (unsigned i = 0; i < COLUMN_COUNT; i++)
        if (str_eq(str_from(service_columns[i]), name)) {
            *column = (enum service_column)i;
            return true;
        }
    return false;
}
