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

static void
lines(void **state)
{
    static const struct {
        const char *text;
        bool good;
        int64_t at, at_none; /* with limits of 1000 bytes and 10 messages, and
                                without */
    } rows[] = {
        {"storage=95%",    true,  950,  0   },
        {"storage=95%%",   true,  950,  0   },
        {"+storage=80%",   true,  800,  0   },
        {"-storage=100%",  true,  1000, 0   },
        {"-messages=50%%", true,  5,    0   },
        {"storage=1",      true,  1024, 1024},
        {"messages=7",     true,  7,    7   },
        {"storage=0%",     false, 0,    0   },
        {"storage=95%%%",  false, 0,    0   },
        {"storage=95%x",   false, 0,    0   },
        {"storage=%",      false, 0,    0   },
        {"storage=1001%",  false, 0,    0   },
        {"storage=0",      false, 0,    0   },
        {"messages=0",     false, 0,    0   },
        {"95%",            false, 0,    0   },
        {"quota-warning",  false, 0,    0   },
        {"",               false, 0,    0   },
    };
    const struct quota_limits some = {1000, 10}, none = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct quota_line l;
        bool good = quota_line_read(str_from(rows[i].text), &l);

        if (good != rows[i].good ||
            (good && (quota_line_at(&l, &some) != rows[i].at ||
                      quota_line_at(&l, &none) != rows[i].at_none ||
                      l.below != (*rows[i].text == '-'))))
            fail_msg("%s", rows[i].text);
    }
}

TESTS(TEST(rules), TEST(names), TEST(lines))
