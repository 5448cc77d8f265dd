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

    /* A format may quote the text it is about to replace; so may the code. */
    char text[sizeof why->text], code[sizeof why->dsn];

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    /* It may quote what a stranger sent, and becomes a line of SMTP. */
    for (unsigned char *c = (unsigned char *)text; *c; c++)
        if (*c < ' ' || *c == 127)
            *c = ' ';
    memcpy(why->text, text, sizeof text);
    snprintf(code, sizeof code, "%s", dsn);
    memcpy(why->dsn, code, sizeof code);
    return rc_of(why->dsn);
}
