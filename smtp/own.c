#include "own.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include "base/log.h"
#include "base/vec.h"

struct own {
    VEC(struct sockaddr_storage) at;
    size_t named; /* how many of them inet_interfaces names one by one */
};

static void
add(struct own *o, const struct sockaddr *sa)
{
    struct dns_record r = dns_from_sockaddr(sa);

    if (r.data.len > 0 && !own_has(o, sa))
        dns_to_sockaddr(&r, 0, vec_add(&o->at));
}

/* The addresses of this host's interfaces, or only the loopback ones. */
static void
add_interfaces(struct own *o, bool loopback_only)
{
    struct ifaddrs *list;

    if (getifaddrs(&list) < 0) {
        log_warn("cannot list network interfaces: %m");
        return;
    }
    for (struct ifaddrs *i = list; i; i = i->ifa_next)
        if (i->ifa_addr && (!loopback_only || (i->ifa_flags & IFF_LOOPBACK)))
            add(o, i->ifa_addr);
    freeifaddrs(list);
}

static void
add_host(struct own *o, struct dns *dns, struct str host, unsigned families)
{
    struct arena *a = arena_new("own addresses", (size_t)1 << 20);
    struct dns_answer answer;
    struct sockaddr_storage sa;
    struct why why;

    if (str_skip(&host, S("[")) && host.len > 0)
        host.len--;
    if (dns_addresses(dns, host, families | DNS_FROM_HOSTS | DNS_FROM_DNS, a,
                      &answer, &why) != OK)
        log_warn("own address %.*s: %s", STR(host), why.text);
    for (size_t i = 0; i < answer.count; i++) {
        dns_to_sockaddr(&answer.records[i], 0, &sa);
        add(o, (struct sockaddr *)&sa);
    }
    arena_free(a);
}

static void
add_list(struct own *o, struct dns *dns, const char *list, unsigned families)
{
    struct str rest = str_from(list), one;

    while (str_word(&rest, ", \t\r\n", &one))
        if (str_ieq(one, S("all")))
            add_interfaces(o, false);
        else if (str_ieq(one, S("loopback-only")))
            add_interfaces(o, true);
        else
            add_host(o, dns, one, families);
}

struct own *
own_read(struct arena *life, const struct conf *conf, struct dns *dns,
         unsigned families)
{
    struct own *o = arena_make(life, struct own);
    struct str list = str_trim(str_from(conf->inet_interfaces));

    add_list(o, dns, conf->inet_interfaces, families);
    if (!str_ieq(list, S("all")) && !str_ieq(list, S("loopback-only")))
        o->named = o->at.len;
    add_list(o, dns, conf->proxy_interfaces, families);
    return o;
}

bool
own_has(const struct own *o, const struct sockaddr *sa)
{
    struct dns_record r = dns_from_sockaddr(sa);

    for (size_t i = 0; i < o->at.len; i++) {
        struct dns_record one =
            dns_from_sockaddr((const struct sockaddr *)&o->at.at[i]);

        if (one.type == r.type && str_eq(one.data, r.data))
            return true;
    }
    return false;
}

static bool
is_loopback(const struct sockaddr *sa)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)sa;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sa;

    return sa->sa_family == AF_INET
               ? ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET
               : IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

const struct sockaddr *
own_only(const struct own *o, int family)
{
    const struct sockaddr *only = NULL;

    for (size_t i = 0; i < o->named; i++) {
        const struct sockaddr *sa = (const struct sockaddr *)&o->at.at[i];

        if (sa->sa_family != family)
            continue;
        if (only)
            return NULL;
        only = sa;
    }
    return only && !is_loopback(only) ? only : NULL;
}
