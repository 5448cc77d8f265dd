/*
 * test.h - cmocka, for t/unit: include it instead of <cmocka.h>.
 *
 * cmocka's macro fail() would hide fail() of base/why.h: use fail_msg().
 */
#ifndef UNIT_TEST_H
#define UNIT_TEST_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#undef fail
#undef fail_msg
#define fail_msg(...)                                                          \
    do {                                                                       \
        print_error("" __VA_ARGS__);                                           \
        print_error("\n");                                                     \
        _fail(__FILE__, __LINE__);                                             \
    } while (0)

#include "base/arena.h"

/* Run the functions named, each as one test; the exit status of main. As in all
 * programs, who writes to nobody gets EPIPE and no signal. */
#define TESTS(...) TESTS_WITHIN(NULL, NULL, __VA_ARGS__)

/* The same, between two functions that are called once. */
#define TESTS_WITHIN(set_up, tear_down, ...)                                   \
    int main(void)                                                             \
    {                                                                          \
        const struct CMUnitTest tests[] = {__VA_ARGS__};                       \
                                                                               \
        signal(SIGPIPE, SIG_IGN);                                              \
        return cmocka_run_group_tests(tests, set_up, tear_down);               \
    }
#define TEST(function) cmocka_unit_test(function)

/* Two views hold the same bytes. */
#define assert_str(got, want)                                                  \
    do {                                                                       \
        struct str got_ = (got), want_ = (want);                               \
                                                                               \
        if (!str_eq(got_, want_))                                              \
            fail_msg("got \"%.*s\", not \"%.*s\"", STR(got_), STR(want_));     \
    } while (0)

#endif
