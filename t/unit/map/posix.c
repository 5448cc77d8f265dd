/* POSIX expressions for PCRE2: the C library's own are the judge. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "map/posix.h"

#include <pcre2.h>
#include <regex.h>
#include <stdlib.h>

#include "unit/scratch.h"

/* 1 or 0: matches or not; -1: the expression is refused. */
static int
by_library(const char *re, const char *subject, bool extended)
{
    regex_t r;

    if (regcomp(&r, re, REG_NOSUB | REG_ICASE | (extended ? REG_EXTENDED : 0)))
        return -1;

    int matched = regexec(&r, subject, 0, NULL, 0) == 0;

    regfree(&r);
    return matched;
}

static int
by_pcre(const char *re, const char *subject, bool extended)
{
    struct buf out = buf_in(scratch);
    struct why why;
    int err;
    size_t at;

    if (posix_to_pcre(str_from(re), extended, &out, &why) != OK)
        return -1;
    struct str s = buf_str(&out);
    pcre2_code *code = pcre2_compile(
        (PCRE2_SPTR)s.p, s.len,
        PCRE2_CASELESS | PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY, &err, &at, NULL);

    if (code == NULL)
        return -1;
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
    int n = pcre2_match(code, (PCRE2_SPTR)subject, strlen(subject), 0, 0, data,
                        NULL);

    pcre2_match_data_free(data);
    pcre2_code_free(code);
    return n >= 0;
}

static const char *const subjects[] = {
    "",     "a",    "b",       "ab",         "aab",    "a.b",   "a b",
    "a(b)", "a{2}", "aa",      "aaa",        "abab",   "a\\b",  "a]b",
    "a[b",  "foo",  "foo bar", "x foo.",     "_foo",   "foo@x", "a\nb",
    "a-b",  "a^b",  "a$b",     "a|b",        "a+b",    "a?b",   "a*b",
    "ABC",  "123",  "a1",      "user@x.org", "a/b",    "}",     ")",
    "a)",   "\\",   "d",       "a,b",        "aXbXc",  "^a",    "$",
    "a*",   "+",    "a++",     "ba",         "abcabc", "=",     ":",
};

static void
matches_as_the_library_does(void **state)
{
    static const char *const extended[] = {
        "a",
        "^a",
        "a$",
        "^$",
        "a|b",
        "(a|b)+",
        "a{2}",
        "a{2,}",
        "a{,2}b",
        "a{1,2}$",
        "a.b",
        "a\\.b",
        "[ab]",
        "[^ab]",
        "[]a]",
        "[^]a]",
        "[a\\]",
        "[a\\]b]",
        "[a-c]+",
        "[a-]",
        "[[:alpha:]]+",
        "^[[:digit:][:upper:]]+$",
        "[[.a.]]",
        "[[=a=]]",
        "[[]",
        "\\<foo",
        "foo\\>",
        "\\bfoo\\b",
        "\\Bo",
        "\\w+@\\w+",
        "\\W",
        "\\s",
        "^\\S+$",
        "\\`a",
        "a\\'",
        "(a)\\1",
        "(ab)(c)?\\1",
        "a\\/b",
        "a)",
        ")",
        "a++b",
        "a*+b",
        "a+?b",
        "a?*b",
        "(a|ab)(c|bcd)*",
        "a\\{2\\}",
        "a\\|b",
        "a\\+b",
        "a\\?b",
        "a\\*b",
        "\\^a",
        "\\$",
        "x*",
        "()a",
        "a|",
        "^a|b$",
        "(^a|b$)",
        "a\\(b\\)",
        "=",
        "\\=",
        ":",
        "[:a]",
        "a/b",
        "\\}",
        "a,b",
        "[$]",
        "[.]b",
        "[*+?]",
        "(((a)))",
        "((a+)b?)+$",
        "a{0}b",
        "a{1}{2}b",
    };
    static const char *const basic[] = {
        "a",          "^a",       "a$",
        "a|b",        "a\\|b",    "\\(a\\|b\\)\\+",
        "a\\{2\\}",   "a{2}",     "a\\{1,2\\}$",
        "a+b",        "a\\+b",    "a?b",
        "a\\?b",      "a(b)",     "a\\(b\\)",
        "*",          "*a",       "\\(*a\\)",
        "^*",         "a*b",      "a^b",
        "a$b",        "\\(^a\\)", "\\(a$\\)",
        "\\(a\\)\\1", "[a\\]b",   "\\<foo\\>",
        "a{2\\}",     ")",        "}",
        "+",          "x^a",      "^^a",
    };

    (void)state;
    for (int ext = 0; ext < 2; ext++) {
        const char *const *res = ext ? extended : basic;
        size_t count = ext ? COUNT(extended) : COUNT(basic);

        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < COUNT(subjects); j++) {
                int want = by_library(res[i], subjects[j], ext);
                int got = by_pcre(res[i], subjects[j], ext);

                if (got != want)
                    fail_msg("%s expression %s, subject \"%s\": got %d, not %d",
                             ext ? "extended" : "basic", res[i], subjects[j],
                             got, want);
            }
        arena_reset(scratch);
    }
}

/* With REG_ICASE the library's "\\d" matches nothing at all. */
static void
an_escaped_letter_is_the_letter(void **state)
{
    (void)state;
    assert_int_equal(by_pcre("^\\d$", "d", true), 1);
    assert_int_equal(by_pcre("^\\d$", "1", true), 0);
}

static void
refuses_what_the_library_refuses(void **state)
{
    static const struct {
        const char *re, *text;
    } cases[] = {
        {"(a",           "unmatched ( or \\("                  },
        {"a\\",          "trailing backslash"                  },
        {"[a",           "unmatched [, [^, [:, [., or [="      },
        {"[[:alpha:]",   "unmatched [, [^, [:, [., or [="      },
        {"[[:alpha",     "unmatched [, [^, [:, [., or [="      },
        {"[[.ab.]]",     "invalid collation character"         },
        {"a{2",          "unmatched \\{"                       },
        {"a{x}",         "invalid content of \\{\\}"           },
        {"a{3,2}",       "invalid content of \\{\\}"           },
        {"a{999999999}", "invalid content of \\{\\}"           },
        {"*a",           "invalid preceding regular expression"},
        {"(*a)",         "invalid preceding regular expression"},
        {"(?i)a",        "invalid preceding regular expression"},
        {"a|*b",         "invalid preceding regular expression"},
    };
    struct why why;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf out = buf_in(scratch);

        why.text[0] = '\0';
        assert_int_equal(posix_to_pcre(str_from(cases[i].re), true, &out, &why),
                         PERM);
        if (!strstr(why.text, cases[i].text))
            fail_msg("%s: %s", cases[i].re, why.text);
        assert_int_equal(by_library(cases[i].re, "", true), -1);
    }
}

/* Random expressions of the signs that mean something: no surprise, and the
 * same answers wherever both take them. */
static void
random_expressions_agree(void **state)
{
    static const char *const parts[] = {
        "a",     "b",    ".",    "(",   ")",   "|",   "*", "+", "?",   "{2}",
        "{1,2}", "[ab]", "[^a]", "\\(", "\\)", "\\.", "^", "$", "\\w", "c",
    };
    unsigned seed = 7, compared = 0;

    (void)state;
    for (int round = 0; round < 4000; round++) {
        char re[64] = "";

        for (int n = 1 + rand_r(&seed) % 7; n > 0; n--)
            strcat(re, parts[(size_t)rand_r(&seed) % COUNT(parts)]);
        int probe = by_pcre(re, "", true);

        if (probe < 0 || by_library(re, "", true) < 0)
            continue;
        for (size_t j = 0; j < COUNT(subjects); j++, compared++)
            /* The library finds "$" before a line end where it should not. */
            if (!strchr(subjects[j], '\n') &&
                by_pcre(re, subjects[j], true) !=
                    by_library(re, subjects[j], true))
                fail_msg("%s, subject \"%s\"", re, subjects[j]);
        arena_reset(scratch);
    }
    assert_true(compared > 10000);
}

TESTS_WITHIN(scratch_make, scratch_free, TEST(matches_as_the_library_does),
             TEST(an_escaped_letter_is_the_letter),
             TEST(refuses_what_the_library_refuses),
             TEST(random_expressions_agree))
