/* The client's mechanisms: the first byte picks one, then challenges with \376
 * in between. */
#include "auth/sasl_client.h"

#include "fuzz/fuzz.h"

/* Many rounds take long, and are what the limit says: not tried here. */
static bool
takes_long(struct str in)
{
    for (size_t i = 0; i + 4 < in.len; i++)
        if (in.p[i] == 'i' && in.p[i + 1] == '=' && is_digit(in.p[i + 2]) &&
            is_digit(in.p[i + 3]) && is_digit(in.p[i + 4]))
            return true;
    return false;
}

static void
fuzz(struct arena *a, struct str in)
{
    const struct sasl_login login = {
        .user = S("user"),
        .password = S("pencil"),
        .host = S("mx"),
        .port = 587,
        .bindings = {{S("tls-exporter"), S("exported")}},
        .nonce = S("abc"),
    };
    struct str challenge, out;
    struct sasl_client *c;
    struct why why;

    if (in.len == 0 || takes_long(in))
        return;
    const struct sasl_mech *m = &sasl_mechs[(uint8_t)in.p[0] % SASL_COUNT];

    in = str_sub(in, 1, in.len);
    if (sasl_client_start(a, m, &login, in, &c, &out, &why) != OK)
        return;
    while (in.len > 0) {
        str_cut(&in, '\376', &challenge);
        if (sasl_client_step(c, challenge, &out, &why) != OK)
            break;
        must(out.p != NULL);
    }
    enum rc rc = sasl_client_finish(c, S(""), &why);

    /* Nobody who does not know the password is believed. */
    must(!(m->properties & SASL_MUTUAL) || rc != OK);
    sasl_client_end(c);
}

FUZZ(4 << 20)
