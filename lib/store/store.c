#include "store/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int error;
    const char *dsn;
} codes[] = {
    {EDQUOT, "5.2.2"},
    {EFBIG,  "5.2.2"},
    {ENOSPC, "4.3.1"},
    {EIO,    "4.3.0"},
    {EROFS,  "4.3.0"},
    {ENOMEM, "4.3.0"},
    {EMFILE, "4.3.0"},
    {ENFILE, "4.3.0"},
};

static const char *
dsn_of(int error)
{
    for (size_t i = 0; i < COUNT(codes); i++)
        if (codes[i].error == error)
            return codes[i].dsn;
    return "4.2.0";
}

enum rc
store_fail(int error, struct why *why, const char *what, ...)
{
    char text[400];
    va_list args;

    va_start(args, what);
    vsnprintf(text, sizeof text, what, args);
    va_end(args);
    return fail(why, dsn_of(error), "%s: %s", text, strerror(error));
}
