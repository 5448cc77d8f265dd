#include "mail/quota_rule.h"

#include "unit/test.h"

static const struct {
    const char *rule;
    bool good;
    int64_t bytes, messages;
} cases[] = {
    {"*:storage=10",                true,  10240,            0 },
    {"*:storage=1G:messages=50",    true,  INT64_C(1) << 30, 50},
    {"?:bytes=77",                  true,  77,               0 },
    {"*:bytes=2k",                  true,  2048,             0 },
    {"*:storage=5T",                true,  INT64_C(5) << 40, 0 },
    {"*:storage=0",                 true,  0,                0 },
    {"*",                           false, 0,                0 },
    {"*:",                          false, 0,                0 },
    {"Trash:storage=1G",            false, 0,                0 },
    {"*:storage=10%",               false, 0,                0 },
    {"*:storage=",                  false, 0,                0 },
    {"*:storage=99999999999999999", false, 0,                0 },
    {"*:storage=-1",                false, 0,                0 },
    {"*:ignore",                    false, 0,                0 },
};

static void
rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct quota_limits l = {0};
        bool good = quota_rule_read(str_from(cases[i].rule), &l);

        if (good != cases[i].good ||
            (good &&
             (l.bytes != cases[i].bytes || l.messages != cases[i].messages)))
            fail_msg("%s: %d %lld %lld", cases[i].rule, good,
                     (long long)l.bytes, (long long)l.messages);
    }
}

static void
names(void **state)
{
    (void)state;
    assert_true(quota_rule_names(S("quota_rule")));
    assert_true(quota_rule_names(S("quota_rule2")));
    assert_false(quota_rule_names(S("quota_rule1")));
    assert_false(quota_rule_names(S("quota_rule21")));
    assert_false(quota_rule_names(S("quota_ruleX")));
    assert_false(quota_rule_names(S("quota")));
}

TESTS(TEST(rules), TEST(names))
