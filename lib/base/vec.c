#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

void *
vec_room(void *at, size_t len, size_t *cap, size_t size)
{
    if (len == *cap) {
        *cap = *cap ? *cap * 2 : 8;
        at = reallocarray(at, *cap, size);
        if (at == NULL)
            log_fatal("out of memory for %zu elements", *cap);
    }
    memset((char *)at + len * size, 0, size);
    return at;
}

void
vec_release(void *at)
{
    free(at);
}
