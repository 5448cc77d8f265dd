#include "conf/networks.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>

#include "base/buf.h"

enum { ADDRESS_MAX = 16 };

/* An address or a mask as bytes; len is 4, 16, or 0 for none of ours. */
struct bytes {
    unsigned char at[ADDRESS_MAX];
    size_t len;
};

static struct bytes
bytes_of(const struct sockaddr *sa)
{
    struct bytes b = {.len = 0};

    if (sa && sa->sa_family == AF_INET) {
        b.len = 4;
        memcpy(b.at, &((const struct sockaddr_in *)(const void *)sa)->sin_addr,
               4);
    } else if (sa && sa->sa_family == AF_INET6) {
        b.len = 16;
        memcpy(b.at,
               &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
    }
    return b;
}

static bool
same_bytes(struct bytes a, struct bytes b)
{
    return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

static bool
resolves_to(const char *host, struct bytes address)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all;
    bool found = false;

    if (getaddrinfo(host, NULL, &hints, &all) != 0)
        return false;
    for (struct addrinfo *i = all; i && !found; i = i->ai_next)
        found = same_bytes(bytes_of(i->ai_addr), address);
    freeaddrinfo(all);
    return found;
}

/* Does inet_interfaces name this address? */
static bool
is_ours(struct arena *a, struct str interfaces, const struct ifaddrs *i,
        struct bytes address)
{
    struct str word;

    while (str_word(&interfaces, ", \t\r\n", &word)) {
        if (str_ieq(word, S("all")))
            return true;
        if (str_ieq(word, S("loopback-only"))) {
            if (i->ifa_flags & IFF_LOOPBACK)
                return true;
            continue;
        }
        if (str_skip(&word, S("[")) && str_ends(word, S("]")))
            word.len--;
        if (resolves_to(arena_cstr(a, word), address))
            return true;
    }
    return false;
}

static bool
has_protocol(struct str protocols, size_t len)
{
    struct str word;

    while (str_word(&protocols, ", \t\r\n", &word))
        if (str_ieq(word, S("all")) ||
            str_ieq(word, len == 4 ? S("ipv4") : S("ipv6")))
            return true;
    return false;
}

static unsigned
mask_bits(struct bytes mask)
{
    unsigned bits = 0;

    while (bits < 8 * mask.len &&
           mask.at[bits / 8] & (unsigned char)(0x80 >> bits % 8))
        bits++;
    return bits;
}

static unsigned
prefix_of(struct bytes address, struct bytes mask, struct str style)
{
    if (str_ieq(style, S("host")))
        return (unsigned)(8 * address.len);
    if (!str_ieq(style, S("class")) || address.len != 4)
        return mask_bits(mask);
    return address.at[0] < 128 ? 8 : address.at[0] < 192 ? 16 : 24;
}

static char *
network_text(struct arena *a, struct bytes address, unsigned prefix)
{
    char text[INET6_ADDRSTRLEN];

    for (unsigned bit = prefix; bit < 8 * address.len; bit++)
        address.at[bit / 8] &= (unsigned char)~(0x80 >> bit % 8);
    inet_ntop(address.len == 4 ? AF_INET : AF_INET6, address.at, text,
              sizeof text);
    return arena_fmt(a, address.len == 4 ? "%s/%u" : "[%s]/%u", text, prefix);
}

static bool
has_word(struct str list, struct str word)
{
    struct str one;

    while (str_word(&list, " ", &one))
        if (str_eq(one, word))
            return true;
    return false;
}

struct str
networks_default(struct arena *a, struct str interfaces, struct str protocols,
                 struct str style)
{
    struct buf list = buf_in(a);
    struct ifaddrs *all;

    if (getifaddrs(&all) != 0)
        return S("127.0.0.0/8 [::1]/128");
    for (struct ifaddrs *i = all; i; i = i->ifa_next) {
        struct bytes address = bytes_of(i->ifa_addr);

        if (address.len == 0 || !(i->ifa_flags & IFF_UP) ||
            !has_protocol(protocols, address.len) ||
            !is_ours(a, interfaces, i, address))
            continue;
        unsigned prefix = prefix_of(address, bytes_of(i->ifa_netmask), style);
        struct str text = str_from(network_text(a, address, prefix));

        if (!has_word(buf_str(&list), text))
            buf_fmt(&list, "%s%s", list.len ? " " : "", text.p);
    }
    freeifaddrs(all);
    return buf_str(&list);
}
