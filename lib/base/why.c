#include "base/why.h"

#include <stdarg.h>
#include <stdio.h>

enum rc
rc_of(const char *dsn)
{
    return dsn[0] == '4' ? TEMP : dsn[0] == '5' ? PERM : OK;
}

enum rc
fail(struct why *why, const char *dsn, const char *fmt, ...)
{
    va_list args;

    /* A format may quote the text it is about to replace. */
    char text[sizeof why->text];

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    memcpy(why->text, text, sizeof text);
    snprintf(why->dsn, sizeof why->dsn, "%s", dsn);
    return rc_of(why->dsn);
}
