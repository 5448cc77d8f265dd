#include "daemon/routing.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>

#include "base/buf.h"
#include "base/log.h"
#include "route/settings.h"
#include "sys/sock.h"

static void
add_address(struct buf *list, const struct sockaddr *sa)
{
    char text[SOCK_TEXT_MAX];
    unsigned port;

    if (sa == NULL || (sa->sa_family != AF_INET && sa->sa_family != AF_INET6))
        return;
    sock_text(sa, text, &port);
    buf_fmt(list, "%s ", text);
}

static void
add_interfaces(struct buf *list, bool only_loopback)
{
    struct ifaddrs *all;

    if (getifaddrs(&all) < 0) {
        log_warn("cannot list this machine's addresses: %m");
        return;
    }
    for (const struct ifaddrs *i = all; i; i = i->ifa_next)
        if (!only_loopback || (i->ifa_flags & IFF_LOOPBACK))
            add_address(list, i->ifa_addr);
    freeifaddrs(all);
}

/* A name of inet_interfaces or proxy_interfaces, or an address. */
static void
add_host(struct arena *a, struct buf *list, struct str host)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all;

    if (str_starts(host, S("[")) && str_ends(host, S("]")))
        host = str_sub(host, 1, host.len - 2);
    if (getaddrinfo(arena_cstr(a, host), NULL, &hints, &all) != 0)
        return;
    for (const struct addrinfo *i = all; i; i = i->ai_next)
        add_address(list, i->ai_addr);
    freeaddrinfo(all);
}

/* All addresses under which mail reaches us, for "user@[192.0.2.1]". */
static const char *
own_addresses(struct arena *life, const struct conf *conf)
{
    struct buf list = buf_in(life);
    struct str names = str_from(arena_fmt(life, "%s %s", conf->inet_interfaces,
                                          conf->proxy_interfaces));
    struct str word;

    while (str_word(&names, ", \t\r\n", &word)) {
        if (str_ieq(word, S("all")))
            add_interfaces(&list, false);
        else if (str_ieq(word, S("loopback-only")))
            add_interfaces(&list, true);
        else
            add_host(life, &list, word);
    }
    return buf_str(&list).p;
}

struct router *
routing_open(struct arena *life, const struct conf *conf, struct why *why)
{
    struct route_settings *s = arena_make(life, struct route_settings);

#define SETTING(type, name) s->name = conf->name;
#include "route/settings.def"
    s->own_addresses = own_addresses(life, conf);
    return router_new(life, s, why);
}
