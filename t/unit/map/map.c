/* Opening tables, and noticing that they have changed. */
#include "unit/tables.h"

#include <time.h>

static void
put_table(const char *name, const char *key, const char *value)
{
    struct kv_pair pair = {
        {key,   strlen(key) + 1  },
        {value, strlen(value) + 1}
    };
    struct why why;

    assert_int_equal(kv_build(path(name), &pair, 1, NULL, &why), OK);
}

/* The file is looked at again after some ms. */
static void
assert_answer_soon(struct map *m, const char *key, const char *want)
{
    for (int i = 0; i < 500; i++) {
        const char *got = ask(m, key);

        if (want && got && strcmp(got, want) == 0)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_answer(m, key, want);
}

static void
wrong_names_are_told(void **state)
{
    static const struct {
        const char *spec, *text;
    } cases[] = {
        {"hash",                           "expecting \"type:name\" form instead of \"hash\"" },
        {"hash:",                          "expecting \"type:name\" form instead of \"hash:\""},
        {":x",                             "expecting \"type:name\" form"                     },
        {"nonsense:x",                     "unsupported dictionary type: nonsense"            },
        {"unix:shadow",                    "unknown table: unix:shadow"                       },
        {"inline:{a}",                     "missing '='"                                      },
        {"inline:{}",                      "bad syntax"                                       },
        {"randmap:{}",                     "bad syntax"                                       },
        {"unionmap:{}",                    "bad syntax"                                       },
        {"unionmap:{static:a,nonsense:x}", "unsupported dictionary type"                      },
    };
    struct why why;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct map *m = map_open(cases[i].spec, &why);

        assert_non_null(m);
        if (!strstr(why.text, cases[i].text))
            fail_msg("%s: %s", cases[i].spec, why.text);
        assert_logged(cases[i].text);
        assert_answer(m, "a", "TEMP");
    }
}

static void
same_name_is_same_table(void **state)
{
    struct why why;
    struct map *m = map_open("static:a", &why);

    (void)state;
    assert_string_equal(why.text, "");
    assert_ptr_equal(m, map_open("static:a", NULL));
    assert_ptr_equal(m, map_open("proxy:static:a", NULL));
    assert_ptr_not_equal(m, map_open("static:b", NULL));
}

static void
a_missing_table_says_what_mends_it(void **state)
{
    static const struct {
        const char *source, *berkeley, *text;
    } cases[] = {
        {"none",    NULL,     "write that and run: postmap hash:"},
        {"virtual", NULL,
         "virtual.lmdb: No such file or directory; run: "
         "postmap hash:"                                         },
        {"aliases", NULL,     "; run: postalias hash:"           },
        {"old",     "old.db",
         "is a Berkeley DB file, which Posta does not read; "
         "run: postmap hash:"                                    },
    };
    struct why why;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (strcmp(cases[i].source, "none") != 0)
            put_file(cases[i].source, "a b\n");
        if (cases[i].berkeley)
            put_file(cases[i].berkeley, "x");
        map_open(spec("hash", cases[i].source), &why);
        if (!strstr(why.text, cases[i].text))
            fail_msg("%s: %s", cases[i].source, why.text);
        logged();
    }
}

static void
a_damaged_table_answers_temp_until_it_is_mended(void **state)
{
    struct why why;

    (void)state;
    put_file("broken.lmdb", "this is no table\n");
    struct map *m = map_open(spec("hash", "broken"), &why);

    assert_logged("is no LMDB table; run: postmap hash:");
    assert_answer(m, "k", "TEMP");
    put_table("broken.lmdb", "k", "v");
    assert_answer_soon(m, "k", "v");
    assert_logged("can be used now");
}

static void
a_new_table_is_noticed(void **state)
{
    (void)state;
    put_table("t.lmdb", "k", "one");
    struct map *m = map_open(spec("hash", "t"), NULL);

    assert_answer(m, "K", "one");
    put_table("t.lmdb", "k", "two");
    assert_answer_soon(m, "k", "two");

    put_file("text", "k one\n");
    m = map_open(spec("texthash", "text"), NULL);
    assert_answer(m, "k", "one");
    put_file("text", "k two\n");
    assert_answer_soon(m, "k", "two");
}

static void
a_removed_table_answers_temp(void **state)
{
    (void)state;
    put_table("gone.lmdb", "k", "v");
    struct map *m = map_open(spec("hash", "gone"), NULL);

    assert_answer(m, "k", "v");
    assert_int_equal(unlink(path("gone.lmdb")), 0);
    assert_answer_soon(m, "k", "TEMP");
    assert_logged("No such file or directory");
}

static void
tables_of_postfix_are_read(void **state)
{
    struct kv_pair pairs[] = {
        {S("bare"), S("without nul")}
    };
    struct why why;

    (void)state;
    assert_int_equal(kv_build(path("bare.lmdb"), pairs, 1, NULL, &why), OK);
    struct map *m = map_open(spec("btree", "bare"), NULL);

    assert_answer(m, "BARE", "without nul");
    assert_answer(m, "bar", NULL);
    assert_answer(m, "", NULL);
}

static void
an_old_table_is_told(void **state)
{
    struct timespec past[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

    (void)state;
    put_table("stale.lmdb", "k", "v");
    assert_int_equal(utimensat(AT_FDCWD, path("stale.lmdb"), past, 0), 0);
    put_file("stale", "k v2\n");
    map_open(spec("hash", "stale"), NULL);
    assert_logged("is older than source file");
}

TESTS_WITHIN(set_up, tear_down, TEST(wrong_names_are_told),
             TEST(same_name_is_same_table),
             TEST(a_missing_table_says_what_mends_it),
             TEST(a_damaged_table_answers_temp_until_it_is_mended),
             TEST(a_new_table_is_noticed), TEST(a_removed_table_answers_temp),
             TEST(tables_of_postfix_are_read), TEST(an_old_table_is_told))
