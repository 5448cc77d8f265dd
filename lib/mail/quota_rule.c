#include "mail/quota_rule.h"

#define RULES_MAX   20
#define PERCENT_MAX 1000

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

/* "95%", or with the second "%" that Dovecot's files need. */
static bool
read_percent(struct str text, int64_t *value)
{
    struct str number;
    uint64_t n;

    if (!str_cut(&text, '%', &number) ||
        !(text.len == 0 || str_eq(text, S("%"))) || !str_num(number, &n) ||
        n == 0 || n > PERCENT_MAX)
        return false;
    *value = (int64_t)n;
    return true;
}

bool
quota_line_read(struct str text, struct quota_line *line)
{
    struct quota_limits limits = {0};

    *line = (struct quota_line){0};
    line->below = str_skip(&text, S("-"));
    if (!line->below)
        (void)str_skip(&text, S("+"));
    line->percent = str_find(text, '%') >= 0;
    if (line->percent) {
        line->messages = str_iskip(&text, S("messages="));
        return (line->messages || str_iskip(&text, S("storage="))) &&
               read_percent(text, &line->value);
    }
    if (!read_limit(text, &limits))
        return false;
    line->messages = limits.messages > 0;
    line->value = line->messages ? limits.messages : limits.bytes;
    return line->value > 0;
}

int64_t
quota_line_at(const struct quota_line *line, const struct quota_limits *limits)
{
    int64_t limit = line->messages ? limits->messages : limits->bytes;

    if (!line->percent)
        return line->value;
    return limit / 100 * line->value + limit % 100 * line->value / 100;
}
