/* Stored passwords: taken apart and verified, but for those whose scheme takes
 * long by design; there the cost is what t/unit/auth/scheme.c looks at. */
#include "auth/scheme.h"

#include "fuzz/fuzz.h"

static bool
takes_long(struct str stored)
{
    static const struct str slow[] = {S("$"),     S("_"),     S("ARGON"),
                                      S("SCRAM"), S("PBKDF"), S("CRYPT")};
    struct str rest = stored;

    for (; rest.len > 0; rest = str_sub(rest, 1, rest.len))
        for (size_t i = 0; i < COUNT(slow); i++)
            if (str_istarts(rest, slow[i]))
                return true;
    return false;
}

static void
fuzz(struct arena *a, struct str in)
{
    struct str scheme, hash, data;
    struct why why;

    if (scheme_cut(in, "CRYPT", &scheme, &hash))
        must(scheme.len + hash.len <= in.len + 8);
    if (scheme_credentials(a, in, "PLAIN", "CRAM-MD5", S("u"), S("s"), &data,
                           &why) == OK)
        must(data.len == 64);
    if (!takes_long(in)) {
        (void)!scheme_verify(a, in, "PLAIN", S("pencil"), &why);
        must(scheme_verify(a, in, "PLAIN", S(""), &why) != OK);
    }
}

FUZZ(4 << 20)
