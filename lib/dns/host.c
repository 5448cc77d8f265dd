/*
 * Hosts: their addresses from the hosts file and DNS, and the name that
 * belongs to an address.
 */
#include <arpa/inet.h>

#include "base/buf.h"
#include "dns/hosts.h"
#include "dns/resolver.h"

/* Is the host an address as text? */
static bool
numeric(struct str host, unsigned how, struct arena *a,
        struct dns_answer *answer)
{
    char text[INET6_ADDRSTRLEN];
    struct dns_record *r = &answer->records[0];
    char *ip = arena_alloc(a, 16);

    if (host.len >= sizeof text)
        return false;
    memcpy(text, host.p, host.len);
    text[host.len] = '\0';
    if ((how & DNS_V4) && inet_pton(AF_INET, text, ip) == 1)
        *r = (struct dns_record){
            .type = DNS_A, .data = {ip, 4}
        };
    else if ((how & DNS_V6) && inet_pton(AF_INET6, text, ip) == 1)
        *r = (struct dns_record){
            .type = DNS_AAAA, .data = {ip, 16}
        };
    else
        return false;
    answer->count = 1;
    return true;
}

/* Append what a look-up of one type finds; the worst trouble stays. */
static enum rc
add_type(struct dns *d, struct str host, enum dns_type type, struct arena *a,
         struct dns_answer *answer, struct why *why)
{
    struct dns_answer one;
    struct why reason;
    enum rc rc = dns_lookup(d, host, type, a, &one, &reason);

    if (rc != OK) {
        if (answer->state != DNS_FAILED) {
            answer->state = one.state;
            *why = reason;
        }
        return rc;
    }
    answer->secure &= one.secure;
    answer->name = one.name;
    if (one.ttl < answer->ttl)
        answer->ttl = one.ttl;
    for (size_t i = 0; i < one.count && answer->count < DNS_RECORDS_MAX; i++)
        answer->records[answer->count++] = one.records[i];
    return OK;
}

static enum rc
from_dns(struct dns *d, struct str host, unsigned how, struct arena *a,
         struct dns_answer *answer, struct why *why)
{
    static const enum dns_type types[] = {DNS_AAAA, DNS_A};
    const struct dns_question both[] = {
        {host, DNS_AAAA},
        {host, DNS_A   }
    };

    if ((how & DNS_V4) && (how & DNS_V6))
        dns_ask_ahead(d, both, 2);
    answer->secure = true;
    answer->ttl = UINT32_MAX;
    for (size_t i = 0; i < COUNT(types); i++)
        if (how & (types[i] == DNS_A ? DNS_V4 : DNS_V6))
            (void)!add_type(d, host, types[i], a, answer, why);
    if (answer->count == 0)
        return rc_of(why->dsn);
    answer->state = DNS_FOUND;
    return OK;
}

enum rc
dns_addresses(struct dns *d, struct str host, unsigned how, struct arena *a,
              struct dns_answer *answer, struct why *why)
{
    *answer = (struct dns_answer){.state = DNS_FOUND, .name = host};
    answer->records =
        arena_alloc(a, sizeof *answer->records * (DNS_RECORDS_MAX + 1));
    if (numeric(host, how, a, answer))
        return OK;
    if (how & DNS_FROM_HOSTS) {
        if (how & DNS_V6)
            hosts_addresses(d->hosts, host, DNS_AAAA, answer);
        if (how & DNS_V4)
            hosts_addresses(d->hosts, host, DNS_A, answer);
        if (answer->count > 0)
            return OK;
    }
    if (how & DNS_FROM_DNS)
        return from_dns(d, host, how, a, answer, why);
    answer->state = DNS_NXDOMAIN;
    return fail(why, "5.4.4", "unable to look up host %.*s: %s", STR(host),
                "Name or service not known");
}

static bool
leads_back(const struct dns_answer *answer, const struct dns_record *addr)
{
    for (size_t i = 0; i < answer->count; i++)
        if (answer->records[i].type == addr->type &&
            str_eq(answer->records[i].data, addr->data))
            return true;
    return false;
}

static void
confirm(struct dns *d, const struct dns_record *addr, struct arena *a,
        struct dns_peer *peer)
{
    struct dns_answer answer;
    struct why why;
    char text[INET6_ADDRSTRLEN];
    bool v4 = addr->type == DNS_A;
    unsigned how = (v4 ? DNS_V4 : DNS_V6) | DNS_FROM_HOSTS | DNS_FROM_DNS;

    inet_ntop(v4 ? AF_INET : AF_INET6, addr->data.p, text, sizeof text);
    peer->rc = dns_addresses(d, peer->reverse, how, a, &answer, &why);
    if (peer->rc == OK && leads_back(&answer, addr)) {
        peer->name = peer->reverse;
        return;
    }
    const char *what = peer->rc == OK     ? ""
                       : peer->rc == TEMP ? ": Temporary failure in name "
                                            "resolution"
                                          : ": Name or service not known";

    peer->rc = fail(&peer->why, peer->rc == TEMP ? "4.7.25" : "5.7.25",
                    "hostname %.*s does not resolve to address %s%s",
                    STR(peer->reverse), text, what);
}

void
dns_peer_of(struct dns *d, const struct sockaddr *sa, struct arena *a,
            struct dns_peer *peer)
{
    struct dns_record addr = dns_from_sockaddr(sa);
    struct dns_answer answer;

    *peer = (struct dns_peer){.rc = PERM,
                              .reverse_rc = OK,
                              .reverse = S("unknown"),
                              .name = S("unknown")};
    struct str known = hosts_name(d->hosts, &addr);

    if (known.len > 0) {
        peer->reverse = known;
        confirm(d, &addr, a, peer);
        return;
    }
    peer->reverse_rc = peer->rc = dns_lookup(d, dns_reverse_name(sa, S(""), a),
                                             DNS_PTR, a, &answer, &peer->why);
    if (peer->rc != OK)
        return;
    peer->reverse = answer.records[0].host;
    confirm(d, &addr, a, peer);
}
