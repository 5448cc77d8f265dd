#include "access/quota.h"

#include <stdio.h>

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

static enum rc
add(struct user *u, struct str rule, struct quota_limits *limits,
    struct why *why)
{
    if (rule.len == 0 || quota_rule_read(rule, limits))
        return OK;
    return fail(why, "5.3.5", "quota_rule = %.*s of user %.*s is not known",
                STR(rule), STR(u->user));
}

enum rc
user_quota(struct user *u, struct quota_limits *limits, struct why *why)
{
    struct str rule = user_field(u, "quota_rule");
    char name[32];
    enum rc rc;

    *limits = (struct quota_limits){0};
    if (rule.len == 0)
        rule = str_from(u->conf->quota_rule);
    rc = add(u, rule, limits, why);
    for (int i = 2; rc == OK && i <= RULES_MAX; i++) {
        snprintf(name, sizeof name, "quota_rule%d", i);
        rc = add(u, user_field(u, name), limits, why);
    }
    return rc;
}
