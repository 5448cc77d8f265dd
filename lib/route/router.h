/*
 * router.h - inside of lib/route: opened tables and lists.
 */
#ifndef ROUTE_ROUTER_H
#define ROUTE_ROUTER_H

#include "map/map.h"
#include "route/route.h"
#include "route/settings.h"

/* Bits of canonical_classes and its kin. */
enum {
    IN_ENVELOPE_SENDER = 1,
    IN_ENVELOPE_RCPT = 2,
    IN_HEADER_SENDER = 4,
    IN_HEADER_RCPT = 8,
};

/* Bits of propagate_unmatched_extensions that matter here. */
enum {
    PROPAGATE_CANONICAL = 1,
    PROPAGATE_VIRTUAL = 2,
};

/* A table, the places it is for, and whether it keeps extensions. */
struct mapping {
    const char *name;
    struct maps *maps;
    unsigned classes;
    bool propagate;
};

struct router {
    const struct route_settings *s;
    struct mapping sender_canonical, rcpt_canonical, canonical, virtual;
    struct maps *sender_bcc, *rcpt_bcc;
    struct match_list *masquerade_exceptions;
    unsigned masquerade_classes;

    struct match_list *mydestination, *own_addresses;
    struct match_list *virtual_alias_domains, *virtual_mailbox_domains;
    struct match_list *relay_domains;
    bool transport_parents; /* transport_maps: "b.c" is for "a.b.c" too */

    struct maps *local_rcpt, *virtual_mailbox, *relay_rcpt, *relocated;
    struct maps *transport, *sender_relayhost, *sender_transport;
};

/* Is the domain one of mydestination, or an address of our own? */
enum rc router_is_own(struct router *r, struct str domain, bool *own,
                      struct why *why) MUST_USE;

/* Look an address up in the usual order. */
enum rc router_find(struct router *r, struct arena *a, struct maps *m,
                    struct str addr, struct map_found *found,
                    struct why *why) MUST_USE;

/*
 * The addresses of a value that a mapping gave for addr: parsed, with the
 * local part or the extension of addr, completed, in internal form. The
 * arena array *list has *count.
 */
void router_results(struct router *r, struct arena *a, struct str addr,
                    const struct mapping *m, const struct map_found *found,
                    struct str **list, size_t *count);

/* Put a routing operator's domain where it belongs: "u%d" is "u@d", "d!u"
 * too; then complete. As route_complete, but also where quotes would hide the
 * operator. */
struct str router_reroute(struct router *r, struct arena *a, struct str addr);

/* Transport and next hop that transport_maps has for an address, if any. */
enum rc router_transport(struct router *r, struct arena *a, struct route *route,
                         struct why *why) MUST_USE;

/* Split "transport:nexthop"; either may be empty. */
void router_cut_transport(struct str value, struct str *transport,
                          struct str *nexthop);

#endif
