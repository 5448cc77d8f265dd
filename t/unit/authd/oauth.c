#include "authd/oauth.h"

#include "unit/test.h"

static void
judges(void **state)
{
    static const struct {
        const char *scopes, *json;
        enum check_verdict verdict;
        const char *user;
    } cases[] = {
        {"",        "{\"active\":true,\"username\":\"a@x\"}",                   CHECK_YES,  "a@x"},
        {"",        "{\"active\":false}",                                       CHECK_NO,   ""   },
        {"",        "{\"active\":\"true\",\"username\":\"a\"}",                 CHECK_TEMP, ""   },
        {"",        "{\"active\":true}",                                        CHECK_TEMP, ""   },
        {"",        "{\"active\":true,\"username\":7}",                         CHECK_TEMP, ""   },
        {"",        "<html>",                                                   CHECK_TEMP, ""   },
        {"",        "{\"active\":true,\"username\":\"a\",\"exp\":1001}",        CHECK_YES,
         "a"                                                                                     },
        {"",        "{\"active\":true,\"username\":\"a\",\"exp\":1000}",        CHECK_NO,   ""   },
        {"mail",    "{\"active\":true,\"username\":\"a\"}",                     CHECK_NO,   ""   },
        {"mail",    "{\"active\":true,\"username\":\"a\",\"scope\":\"xmail\"}",
         CHECK_NO,                                                                          ""   },
        {"mail im",
         "{\"active\":true,\"username\":\"a\",\"scope\":\"im mail\"}",          CHECK_YES,  "a"  },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena *a = arena_new("test", 1 << 20);
        const struct oauth_rules rules = {"username", cases[i].scopes, 1000};
        struct answer answer = {.verdict = CHECK_TEMP};

        oauth_judge(a, &rules, str_from(cases[i].json), &answer);
        if (answer.verdict != cases[i].verdict)
            fail_msg("%s: %d", cases[i].json, answer.verdict);
        assert_str(answer.user, str_from(cases[i].user));
        arena_free(a);
    }
}

TESTS(TEST(judges))
