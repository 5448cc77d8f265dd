#include "auth/user_quota.h"

#include "unit/test.h"

static const struct {
    const char *rule, *fields;
    enum rc rc;
    int64_t bytes, messages;
} cases[] = {
    {"",            "quota_rule=*:bytes=5",                                     OK,   0,    0},
    {"*:bytes=7",   "",                                                         OK,   7,    0},
    {"*:bytes=7",   "uid=1\tquota_rule=*:bytes=5\thome=/x",                     OK,   5,    0},
    {"*:bytes=7",   "quota_rule2=*:messages=3\tquota_rule20=*:bytes=9",         OK,   9,    3},
    {"*:bytes=7",   "quota_rule2=*:messages=3\tquota_rule=*:bytes=1",           OK,   1,    3},
    {"*:bytes=7",   "quota_rule21=x\tquota_rules=x\tquota_rule1=x\tquota_rule",
     OK,                                                                              7,    0},
    {"*:bytes=7",   "quota_rule=*:storage=10%",                                 PERM, 0,    0},
    {"*:bytes=7",   "quota_rule2=Trash:storage=10",                             PERM, 0,    0},
    {"*:bytes",     "",                                                         PERM, 0,    0},
    {"*:storage=0", "quota_rule=*:storage=2",                                   OK,   2048, 0},
};

static void
rules(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct quota_limits l;
        struct why why;
        enum rc rc = user_quota(a, str_from(cases[i].rule),
                                str_from(cases[i].fields), &l, &why);

        if (rc != cases[i].rc ||
            (rc == OK &&
             (l.bytes != cases[i].bytes || l.messages != cases[i].messages)))
            fail_msg("%s %s: %d %lld %lld", cases[i].rule, cases[i].fields, rc,
                     (long long)l.bytes, (long long)l.messages);
    }
    arena_free(a);
}

TESTS(TEST(rules))
