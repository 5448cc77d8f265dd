#include "mail/quota_rule.h"

#define RULES_MAX 20

/* "1G"; without a unit times `unit`. */
static bool
read_size(struct str text, int64_t unit, int64_t *value)
{
    static const char units[] = "BKMGT";
    uint64_t n;

    if (text.len > 0 && !is_digit(text.p[text.len - 1])) {
        const char *at = strchr(units, to_upper(text.p[text.len - 1]));

        if (at == NULL || *at == '\0')
            return false;
        unit = INT64_C(1) << 10 * (at - units);
        text.len--;
    }
    if (!str_num(text, &n) || n > (uint64_t)(INT64_MAX / unit))
        return false;
    *value = (int64_t)n * unit;
    return true;
}

static bool
read_limit(struct str word, struct quota_limits *limits)
{
    if (str_iskip(&word, S("storage=")))
        return read_size(word, 1024, &limits->bytes);
    if (str_iskip(&word, S("bytes=")))
        return read_size(word, 1, &limits->bytes);
    if (str_iskip(&word, S("messages=")))
        return read_size(word, 1, &limits->messages);
    return false;
}

bool
quota_rule_read(struct str rule, struct quota_limits *limits)
{
    struct str word;
    bool more = str_cut(&rule, ':', &word);

    if (!more || !(str_eq(word, S("*")) || str_eq(word, S("?"))))
        return false;
    while (more) {
        more = str_cut(&rule, ':', &word);
        if (!read_limit(str_trim(word), limits))
            return false;
    }
    return true;
}

bool
quota_rule_names(struct str name)
{
    uint64_t n;

    return str_skip(&name, S("quota_rule")) &&
           (name.len == 0 || (str_num(name, &n) && n >= 2 && n <= RULES_MAX));
}
