#include "base/base.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

void
base_close_scope(int *fd)
{
    int saved = errno;

    if (*fd >= 0)
        close(*fd);
    errno = saved;
}

void
base_broken(const char *file, int line, const char *cond)
{
    log_panic("%s:%d: broken: %s", file, line, cond);
    log_flush();
    abort();
}
