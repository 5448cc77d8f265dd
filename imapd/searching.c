#include "searching.h"

#include <string.h>

#include "found.h"

static bool
is_sorted(enum command_id id)
{
    switch (id) {
    case COMMAND_SORT:
    case COMMAND_UID_SORT:
    case COMMAND_THREAD:
    case COMMAND_UID_THREAD:
        return true;
    default:
        return false;
    }
}

bool
searching_charset(struct session *s, const struct command *c)
{
    struct str charset = c->search.charset;

    /* All is UTF-8 then (RFC 9755 3); SORT and THREAD must say so. */
    if (s->enabled & ENABLED_UTF8 && charset.len > 0 &&
        !(is_sorted(c->id) && str_ieq(charset, S("UTF-8")))) {
        reply_bad(s, "All is UTF-8, as was enabled");
        return false;
    }
    if (charset.len == 0 || str_ieq(charset, S("UTF-8")) ||
        str_ieq(charset, S("US-ASCII")))
        return true;
    if (c->search.returns & RETURN_SAVE)
        found_forget(s);
    reply_no(s, "[BADCHARSET (US-ASCII UTF-8)] Unknown character set");
    return false;
}

/* BAD leaves "$" as it was, NO leaves nothing in it (RFC 5182 2.1). */
void
searching_refuse(struct session *s, const struct why *why)
{
    if (strcmp(why->dsn, "5.5.4") == 0) {
        reply_bad(s, "%s", why->text);
        return;
    }
    if (s->now.search.returns & RETURN_SAVE)
        found_forget(s);
    reply_why(s, why);
}
