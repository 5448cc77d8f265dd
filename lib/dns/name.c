/*
 * Names, types and addresses as text and back.
 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/buf.h"
#include "dns/dns.h"

static bool
valid_label(struct str label)
{
    if (label.len == 0 || label.len > 63 || label.p[0] == '-' ||
        label.p[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++) {
        char c = label.p[i];

        if (!is_alnum(c) && c != '-' && c != '_' && !((unsigned char)c & 0x80))
            return false;
    }
    return true;
}

bool
dns_valid_host(struct str name)
{
    bool digits = true;
    struct str label;

    if (str_ends(name, S(".")))
        name.len--;
    if (name.len == 0 || name.len > 255 || name.p[name.len - 1] == '.')
        return false;
    for (size_t i = 0; i < name.len; i++)
        digits &= is_digit(name.p[i]) || name.p[i] == '.';
    while (name.len > 0) {
        str_cut(&name, '.', &label);
        if (!valid_label(label))
            return false;
    }
    return !digits;
}

const char *
dns_type_name(enum dns_type type)
{
    switch (type) {
    case DNS_A:
        return "A";
    case DNS_NS:
        return "NS";
    case DNS_CNAME:
        return "CNAME";
    case DNS_SOA:
        return "SOA";
    case DNS_PTR:
        return "PTR";
    case DNS_MX:
        return "MX";
    case DNS_TXT:
        return "TXT";
    case DNS_AAAA:
        return "AAAA";
    case DNS_SRV:
        return "SRV";
    case DNS_TLSA:
        return "TLSA";
    }
    return "?";
}

struct str
dns_reverse_name(const struct sockaddr *sa, struct str suffix, struct arena *a)
{
    struct dns_record r = dns_from_sockaddr(sa);
    const unsigned char *ip = (const unsigned char *)r.data.p;
    struct buf b = buf_in(a);

    for (size_t i = r.data.len; i-- > 0;)
        if (r.type == DNS_A)
            buf_fmt(&b, "%d.", ip[i]);
        else
            buf_fmt(&b, "%x.%x.", ip[i] & 15, ip[i] >> 4);
    if (suffix.len > 0)
        buf_add(&b, suffix);
    else
        buf_fmt(&b, r.type == DNS_A ? "in-addr.arpa" : "ip6.arpa");
    return buf_str(&b);
}

socklen_t
dns_to_sockaddr(const struct dns_record *r, unsigned port,
                struct sockaddr_storage *sa)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)sa;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)sa;

    memset(sa, 0, sizeof *sa);
    if (r->type == DNS_A) {
        must(r->data.len == sizeof v4->sin_addr);
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        memcpy(&v4->sin_addr, r->data.p, r->data.len);
        return sizeof *v4;
    }
    must(r->type == DNS_AAAA && r->data.len == sizeof v6->sin6_addr);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)port);
    memcpy(&v6->sin6_addr, r->data.p, r->data.len);
    return sizeof *v6;
}

struct dns_record
dns_from_sockaddr(const struct sockaddr *sa)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)sa;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sa;
    struct dns_record r = {0};

    if (sa->sa_family == AF_INET) {
        r.type = DNS_A;
        r.data = (struct str){(const char *)&v4->sin_addr, 4};
    } else if (sa->sa_family == AF_INET6 &&
               IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        r.type = DNS_A;
        r.data = (struct str){(const char *)&v6->sin6_addr + 12, 4};
    } else if (sa->sa_family == AF_INET6) {
        r.type = DNS_AAAA;
        r.data = (struct str){(const char *)&v6->sin6_addr, 16};
    }
    return r;
}
