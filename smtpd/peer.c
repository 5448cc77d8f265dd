#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include "smtpd.h"

#include "base/log.h"
#include "sys/sock.h"

static struct str
copy(struct session *s, const char *text)
{
    return arena_str(s->life, str_from(text));
}

struct str
peer_literal(struct arena *a, struct str addr)
{
    if (str_find(addr, ':') < 0)
        return addr;
    return str_from(arena_fmt(a, "IPv6:%.*s", STR(addr)));
}

void
peer_show(const struct session *s, struct arena *a, struct client *c)
{
    bool port = s->conf->smtpd_client_port_logging && c->port.len > 0;

    c->shown =
        str_from(arena_fmt(a, "%.*s[%.*s]%s%.*s", STR(c->name), STR(c->addr),
                           port ? ":" : "", STR(port ? c->port : S(""))));
}

bool
peer_parse(struct client *c, struct str addr, struct str port)
{
    char text[INET6_ADDRSTRLEN];
    struct sockaddr_in *v4 = (struct sockaddr_in *)&c->sa;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&c->sa;
    uint64_t number = 0;

    c->sa = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
    str_iskip(&addr, S("IPv6:"));
    if (addr.len >= sizeof text ||
        (port.len > 0 && (!str_num(port, &number) || number > 65535)))
        return false;
    snprintf(text, sizeof text, "%.*s", STR(addr));
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)number);
        return true;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
        return false;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)number);
    return true;
}

/* Over a UNIX socket comes who may open it: this machine. */
static void
set_local(struct session *s)
{
    struct client *c = &s->client;

    peer_parse(c, S("127.0.0.1"), S(""));
    c->name = c->reverse = S("localhost");
    c->addr = S("127.0.0.1");
    c->port = S("");
}

static void
look_up(struct session *s, struct client *c)
{
    struct dns_peer peer;

    c->name = c->reverse = S("unknown");
    c->name_rc = c->reverse_rc = PERM;
    if (!s->conf->smtpd_peername_lookup)
        return;
    dns_peer_of(s->server->dns, (const struct sockaddr *)&c->sa, s->life,
                &peer);
    c->reverse_rc = peer.reverse_rc;
    c->name_rc = peer.rc;
    if (peer.reverse_rc == OK)
        c->reverse = peer.reverse;
    if (peer.rc == OK)
        c->name = peer.name;
    else if (peer.reverse_rc == OK)
        log_warn("%s", peer.why.text);
}

static bool
in_list(struct session *s, struct match_list *l)
{
    struct why why;
    bool found = false;

    /* A list that cannot be read gives nobody a privilege. */
    if (match_host(l, s->client.name, s->client.addr, &found, &why) != OK)
        log_warn("%s", why.text);
    return found;
}

void
peer_judge(struct session *s)
{
    s->trusted = in_list(s, s->server->mynetworks);
    s->unlimited = in_list(s, s->server->unlimited);
}

/* An IPv4 client on an IPv6 socket. */
static struct sockaddr_storage
unmapped(const struct sockaddr_storage *sa)
{
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sa;
    struct sockaddr_storage out = *sa;
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out;

    if (sa->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        return out;
    *v4 =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_port = v6->sin6_port};
    memcpy(&v4->sin_addr, &v6->sin6_addr.s6_addr[12], 4);
    return out;
}

void
peer_find(struct session *s, const struct sockaddr_storage *sa)
{
    struct client *c = &s->client;
    char text[SOCK_TEXT_MAX];
    unsigned port;

    *c = (struct client){.sa = unmapped(sa)};
    if (sa->ss_family == AF_INET || sa->ss_family == AF_INET6) {
        sock_text((const struct sockaddr *)&c->sa, text, &port);
        c->addr = copy(s, text);
        c->port = str_from(arena_fmt(s->life, "%u", port));
        look_up(s, c);
    } else {
        set_local(s);
    }
    peer_show(s, s->life, c);
    s->origin = s->connected = *c;
    peer_judge(s);
}
