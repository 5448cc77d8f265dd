/*
 * fuzz.h - a fuzz target: define fuzz(), then FUZZ(limit).
 *
 * The arena holds `limit` bytes and is empty for each input; a parser that
 * needs more for one input ends the process, which is a finding.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz(struct arena *a, struct str in);

#define FUZZ(limit)                                                            \
    int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)               \
    {                                                                          \
        struct arena *a = arena_new("fuzz", (limit));                          \
                                                                               \
        fuzz(a, (struct str){(const char *)data, size});                       \
        arena_free(a);                                                         \
        return 0;                                                              \
    }

#endif
