/*
 * scratch.h - an arena for each test of a file, or for all of them.
 *
 * SCRATCH_TEST(function) in the list of TESTS() makes it before the function
 * and frees it afterwards; TESTS_WITHIN(scratch_make, scratch_free, ...) makes
 * one for all.
 */
#ifndef UNIT_SCRATCH_H
#define UNIT_SCRATCH_H

#include "unit/test.h"

static struct arena *scratch;

static int
scratch_make(void **state)
{
    (void)state;
    scratch = arena_new("test", (size_t)256 << 20);
    return 0;
}

static int
scratch_free(void **state)
{
    (void)state;
    arena_free(scratch);
    return 0;
}

#define SCRATCH_TEST(function)                                                 \
    cmocka_unit_test_setup_teardown(function, scratch_make, scratch_free)

#endif
