/* texthash and inline tables. */
#include "unit/tables.h"

static void
texthash(void **state)
{
    (void)state;
    put_file("t", "# comment\n"
                  "Key1 value one\n"
                  "key2 value\n"
                  "   continued\n"
                  "\n"
                  " # still\n"
                  "\tmore\n"
                  "key1 dup\n"
                  "\"quoted key\" with blank\n"
                  "novalue\n"
                  "\xc3\x9cN\xc3\x8f utf8\r\n"
                  "\"open x\n"
                  "last line without end");
    struct map *m = map_open(spec("texthash", "t"), NULL);
    const char *log = logged();

    assert_answer(m, "KEY1", "value one");
    assert_answer(m, "key2", "value   continued\tmore");
    assert_answer(m, "\"quoted key\"", "with blank");
    assert_answer(m, "quoted key", NULL);
    assert_answer(m, "\xc3\xbcn\xc3\xaf", "utf8");
    assert_answer(m, "last", "line without end");
    assert_answer(m, "novalue", NULL);
    assert_non_null(strstr(log, "line 8: duplicate entry: \"key1\""));
    assert_non_null(strstr(log, "line 10: expected format: key whitespace "
                                "value -- ignoring this line"));
    assert_non_null(strstr(log, "line 12: unbalanced '\"'"));
}

static void
inline_(void **state)
{
    struct map *m =
        map_open("inline:{x=y, { Z = a b , c } { empty = },two=2}", NULL);

    (void)state;
    assert_answer(m, "X", "y");
    assert_answer(m, "z", "a b , c");
    assert_answer(m, "empty", "");
    assert_answer(m, "two", "2");
    assert_answer(m, "three", NULL);
    assert_false(map_is_pattern(m));
}

static void
a_line_that_only_continues_is_skipped(void **state)
{
    (void)state;
    put_file("lead", "  leading x\nok y\n");
    struct map *m = map_open(spec("texthash", "lead"), NULL);

    assert_logged("a logical line must not start with whitespace");
    assert_answer(m, "leading", NULL);
    assert_answer(m, "ok", "y");
}

TESTS_WITHIN(set_up, tear_down, TEST(texthash), TEST(inline_),
             TEST(a_line_that_only_continues_is_skipped))
