#include "map/network.h"

#include <arpa/inet.h>

bool
network_address(struct str text, struct network *n)
{
    char copy[INET6_ADDRSTRLEN + 1];

    if (text.len == 0 || text.len >= sizeof copy)
        return false;
    memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';

    bool six = str_find(text, ':') >= 0;

    n->size = six ? 16 : 4;
    n->bits = 8 * n->size;
    return inet_pton(six ? AF_INET6 : AF_INET, copy, n->bytes) == 1;
}

/* The bits of byte i that belong to the prefix. */
static unsigned char
mask(unsigned bits, unsigned i)
{
    unsigned before = 8 * i;

    if (bits >= before + 8)
        return 0xff;
    if (bits <= before)
        return 0;

    unsigned rest = before + 8 - bits;

    return (unsigned char)(0xffu >> rest << rest);
}

static enum rc
clear_host_bits(struct str text, struct network *n, struct why *why)
{
    char clean[INET6_ADDRSTRLEN];
    bool wrong = false;

    for (unsigned i = 0; i < n->size; i++) {
        wrong |= (n->bytes[i] & ~mask(n->bits, i)) != 0;
        n->bytes[i] &= mask(n->bits, i);
    }
    if (!wrong)
        return OK;
    inet_ntop(n->size == 16 ? AF_INET6 : AF_INET, n->bytes, clean,
              sizeof clean);
    return fail(why, "5.3.5",
                "non-null host address bits in \"%.*s\", perhaps you should "
                "use \"%s/%u\" instead",
                STR(text), clean, n->bits);
}

enum rc
network_parse(struct str text, struct network *n, struct why *why)
{
    struct str prefix = text, address;
    uint64_t bits;
    bool with_prefix = str_cut(&prefix, '/', &address);

    if (str_starts(address, S("[")) && str_ends(address, S("]")))
        address = str_sub(address, 1, address.len - 2);
    else if (str_starts(text, S("[")) && str_ends(text, S("]")) && with_prefix)
        return network_parse(str_sub(text, 1, text.len - 2), n, why);
    if (!network_address(address, n))
        return fail(why, "5.3.5", "bad address pattern: \"%.*s\"", STR(text));
    if (!with_prefix)
        return OK;
    if (!str_num(prefix, &bits) || bits > n->bits)
        return fail(why, "5.3.5", "bad net/mask pattern: \"%.*s\"", STR(text));
    n->bits = (unsigned)bits;
    return clear_host_bits(text, n, why);
}

bool
network_holds(const struct network *n, const struct network *address)
{
    if (n->size != address->size)
        return false;
    for (unsigned i = 0; i < n->size; i++)
        if ((n->bytes[i] ^ address->bytes[i]) & mask(n->bits, i))
            return false;
    return true;
}
