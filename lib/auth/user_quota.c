#include "auth/user_quota.h"

#include "auth/dovecot.h"

static enum rc
add(struct str rule, struct quota_limits *limits, struct why *why)
{
    if (rule.len == 0 || quota_rule_read(rule, limits))
        return OK;
    return fail(why, "5.3.5", "quota_rule = %.*s: cannot be read", STR(rule));
}

enum rc
user_quota(struct arena *a, struct str rule, struct str fields,
           struct quota_limits *limits, struct why *why)
{
    struct str rest = fields;
    struct dovecot_word w;
    enum rc rc;

    *limits = (struct quota_limits){0};
    if (rule.len == 0)
        return OK;
    while (dovecot_next(a, &rest, &w))
        if (str_eq(w.name, S("quota_rule")) && w.value.len)
            rule = w.value;
    rc = add(rule, limits, why);
    for (rest = fields; rc == OK && dovecot_next(a, &rest, &w);)
        if (quota_rule_names(w.name) && !str_eq(w.name, S("quota_rule")))
            rc = add(w.value, limits, why);
    return rc;
}
