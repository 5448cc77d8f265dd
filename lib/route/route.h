/*
 * route.h - where an address leads: rewriting, classes, aliases, next hops.
 *
 * One library for all that brings mail in (smtpd, pickup, local, bounce) and
 * for the resolve helper. It holds opened tables and plain settings; it is
 * made by daemon/routing.h from the configuration. Nothing here blocks but
 * table look-ups.
 */
#ifndef ROUTE_ROUTE_H
#define ROUTE_ROUTE_H

#include "base/arena.h"
#include "base/why.h"
#include "mail/envelope.h"

struct router;

/* The class of a domain (Postfix's ADDRESS_CLASS_README). */
enum route_class {
    CLASS_LOCAL,           /* mydestination, own addresses */
    CLASS_VIRTUAL_ALIAS,   /* virtual_alias_domains */
    CLASS_VIRTUAL_MAILBOX, /* virtual_mailbox_domains */
    CLASS_RELAY,           /* relay_domains */
    CLASS_DEFAULT,         /* everything else */
};

/* Which rewriting an address gets, beside its syntax. */
enum route_role {
    ROUTE_ENVELOPE_SENDER,
    ROUTE_ENVELOPE_RCPT,
    ROUTE_HEADER_SENDER,
    ROUTE_HEADER_RCPT,
};

/*
 * Complete an address: "user" gets @$myorigin, "user@host" gets .$mydomain
 * where append_dot_mydomain is on; then canonical and masquerade for its
 * role. Never touches the null address. *out may be a view of addr.
 */
enum rc route_rewrite(struct router *r, struct arena *a, struct str addr,
                      enum route_role role, struct str *out,
                      struct why *why) MUST_USE;

enum rc route_class(struct router *r, struct arena *a, struct str domain,
                    enum route_class *class, struct why *why) MUST_USE;

/*
 * May mail for this (rewritten) recipient be accepted? PERM 5.1.1 "User
 * unknown in local recipient table" and kin where its domain is ours and the
 * user unknown; PERM 5.1.6 where relocated; OK for domains that are not ours.
 */
enum rc route_known(struct router *r, struct arena *a, struct str addr,
                    struct why *why) MUST_USE;

/* The same for a sender (smtpd_reject_unlisted_sender). */
enum rc route_known_sender(struct router *r, struct arena *a, struct str addr,
                           struct why *why) MUST_USE;

/*
 * The final recipients of one rewritten recipient: virtual aliases expanded
 * (bounded by virtual_alias_recursion_limit and _expansion_limit, duplicates
 * within the expansion removed), each with its route. notify, orcpt and orig
 * of `from` go along. Appends to *list (an arena array of *count).
 */
enum rc route_expand(struct router *r, struct arena *a, struct str sender,
                     const struct rcpt *from, struct rcpt **list, size_t *count,
                     struct why *why) MUST_USE;

/*
 * Transport and next hop of one final address: transport_maps,
 * sender_dependent maps, relayhost, then its class's transport. PERM where
 * the transport is error:, with the text of the table.
 */
enum rc route_transport(struct router *r, struct arena *a, struct str sender,
                        struct str addr, struct str *transport,
                        struct str *nexthop, struct why *why) MUST_USE;

#endif
