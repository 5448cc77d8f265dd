/*
 * The tables are those of libidn, made for this profile from Unicode 3.2, as
 * RFC 4013 wants them.
 */
#include "auth/saslprep.h"

#include <stringprep.h>

#include "base/utf8.h"

/* Of ASCII only the controls are forbidden, nothing is mapped. */
static bool
ascii_is_good(struct str in)
{
    for (size_t i = 0; i < in.len; i++)
        if ((unsigned char)in.p[i] < 0x20 || in.p[i] == 0x7f)
            return false;
    return true;
}

/* Normalising makes a code point up to 18 times as long. */
#define GROWTH 18

static bool
prepare(struct arena *a, struct str in, bool stored, struct str *out)
{
    size_t room = in.len * GROWTH + 1;
    char *text = arena_alloc(a, room);

    memcpy(text, in.p, in.len);
    if (stringprep(text, room, stored ? STRINGPREP_NO_UNASSIGNED : 0,
                   stringprep_saslprep) != STRINGPREP_OK) {
        explicit_bzero(text, room);
        return false;
    }
    *out = str_from(text);
    return out->len > 0;
}

bool
saslprep(struct arena *a, struct str in, bool stored, struct str *out)
{
    if (in.len == 0 || in.len > SASLPREP_MAX || memchr(in.p, '\0', in.len))
        return false;
    if (utf8_is_ascii(in)) {
        *out = arena_str(a, in);
        return ascii_is_good(in);
    }
    return utf8_valid(in) && prepare(a, in, stored, out);
}
