/*
 * AUTH (RFC 4954).
 */
#include "smtpd.h"

#define LOGIN_MAX 256

struct str
login_printable(struct arena *a, struct str text)
{
    struct str copy = arena_str(a, str_sub(text, 0, LOGIN_MAX));
    char *p = (char *)copy.p;

    for (size_t i = 0; i < copy.len; i++)
        if ((unsigned char)p[i] < ' ' || p[i] == 127)
            p[i] = '?';
    return copy;
}

/* Not announced; named so that the log counts who tries. */
void
do_auth(struct session *s, struct str args)
{
    (void)args;
    s->hushed = true;
    reply(s, "503 5.5.1 Error: authentication not enabled");
}
