#include "authd/json.h"

#include "unit/test.h"

static void
members(void **state)
{
    static const struct {
        const char *text;
        enum json_type type;
        const char *value;
    } cases[] = {
        {"{\"a\":\"x\"}",                            JSON_STRING, "x"     },
        {" { \"b\" : 1 , \"a\" : \"x\" } ",          JSON_STRING, "x"     },
        {"{\"a\":true}",                             JSON_WORD,   "true"  },
        {"{\"a\":-1.5e3}",                           JSON_NUMBER, "-1.5e3"},
        {"{\"a\":[1,{\"a\":2}]}",                    JSON_OTHER,  ""      },
        {"{\"b\":{\"a\":1}}",                        JSON_NONE,   ""      },
        {"{\"a\":1,\"a\":2}",                        JSON_NUMBER, "1"     },
        {"{\"a\":\"\\u00e9\\n\\\"\\ud83d\\ude00\"}", JSON_STRING,
         "\xc3\xa9\n\"\xf0\x9f\x98\x80"                                   },
        {"{\"a\":\"\\ud83d\"}",                      JSON_NONE,   ""      },
        {"{\"a\":\"\\x\"}",                          JSON_NONE,   ""      },
        {"{\"a\":\"x\"",                             JSON_NONE,   ""      },
        {"{\"a\":\"x\"} x",                          JSON_NONE,   ""      },
        {"{\"a\":tru}",                              JSON_NONE,   ""      },
        {"{\"a\":}",                                 JSON_NONE,   ""      },
        {"{\"a\" \"x\"}",                            JSON_NONE,   ""      },
        {"{}",                                       JSON_NONE,   ""      },
        {"[]",                                       JSON_NONE,   ""      },
        {"",                                         JSON_NONE,   ""      },
        {"{\"b\":[],\"c\":{},\"a\":null}",           JSON_WORD,   "null"  },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena *a = arena_new("test", 1 << 20);
        struct str value;
        enum json_type type =
            json_member(a, str_from(cases[i].text), "a", &value);

        if (type != cases[i].type)
            fail_msg("%s: type %d", cases[i].text, type);
        if (type != JSON_NONE)
            assert_str(value, str_from(cases[i].value));
        arena_free(a);
    }
}

static void
depth_is_bounded(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    char text[4096] = "{\"a\":";
    struct str value;

    (void)state;
    memset(text + 5, '[', 2000);
    memset(text + 2005, ']', 2000);
    text[4005] = '}';
    assert_int_equal(json_member(a, str_from(text), "a", &value), JSON_NONE);
    arena_free(a);
}

TESTS(TEST(members), TEST(depth_is_bounded))
