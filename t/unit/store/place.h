/*
 * place.h - a folder of its own for each test of a file.
 *
 * PLACE_TEST(function) in the list of tests makes it before the function and
 * removes it afterwards.
 */
#ifndef UNIT_STORE_PLACE_H
#define UNIT_STORE_PLACE_H

#include "unit/scratch.h"
#include "unit/store/folder.h"

static struct {
    const char *path;
    int dir;
} place;

static int
place_make(void **state)
{
    scratch_make(state);
    place.path = folder_new(scratch);
    place.dir = open(place.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return place.dir < 0 ? -1 : 0;
}

static int
place_remove(void **state)
{
    close(place.dir);
    folder_remove(scratch, place.path);
    return scratch_free(state);
}

#define PLACE_TEST(function)                                                   \
    cmocka_unit_test_setup_teardown(function, place_make, place_remove)

#endif
