#include "base/base.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

/* Arenas that live as long as the process are never freed. */
#ifdef __SANITIZE_ADDRESS__
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
    return "detect_leaks=0";
}
#endif

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
