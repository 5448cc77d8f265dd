#include "mem.h"

#include <stdlib.h>

#include "base/log.h"

void *
mem_new(size_t size)
{
    void *p = calloc(1, size ? size : 1);

    if (p == NULL)
        log_fatal("out of memory: cannot get %zu bytes", size);
    return p;
}

void
mem_free(void *p)
{
    free(p);
}
