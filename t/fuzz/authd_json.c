/* What a token server answers. */
#include "authd/json.h"
#include "fuzz/fuzz.h"

static void
fuzz(struct arena *a, struct str in)
{
    struct str value;

    if (in.len <= 65536)
        (void)json_member(a, in, "active", &value);
}

FUZZ(2 << 20)
