/*
 * route.h - where an address leads: rewriting, classes, aliases, next hops.
 *
 * One library for all that brings mail in (smtpd, pickup, local, bounce) and
 * for the resolve helper. It holds opened tables and plain settings; it is
 * made by daemon/routing.h from the configuration. Nothing here blocks but
 * table look-ups. Addresses have their internal form (mail/address.h).
 *
 * The way of one recipient: route_rewrite, route_bcc, route_resolve (is it
 * ours? the relay check), route_known, route_expand.
 */
#ifndef ROUTE_ROUTE_H
#define ROUTE_ROUTE_H

#include "base/arena.h"
#include "base/why.h"
#include "mail/envelope.h"

struct router;
struct route_settings; /* settings.h */

/* The router as settings say; it and they live in the arena. Never NULL: the
 * first table that cannot be used is told in *why, whose text is else empty. */
struct router *router_new(struct arena *life, const struct route_settings *s,
                          struct why *why);

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
    /* In a header from a client outside local_header_rewrite_clients: as it
     * is, or completed with remote_header_rewrite_domain where that is set. */
    ROUTE_REMOTE_SENDER,
    ROUTE_REMOTE_RCPT,
};

/* Complete an address: source route stripped, host!user and user%host turned
 * round, "user" gets @$myorigin, "user@host" gets .$mydomain where
 * append_dot_mydomain is on. Never touches the null address. A view of addr
 * where nothing changed. */
struct str route_complete(struct router *r, struct arena *a, struct str addr);

/* Complete, then the canonical tables and masquerading for its role. */
enum rc route_rewrite(struct router *r, struct arena *a, struct str addr,
                      enum route_role role, struct str *out,
                      struct why *why) MUST_USE;

/*
 * Who gets a copy because of this (rewritten) address: for a sender always_bcc
 * and sender_bcc_maps, for a recipient recipient_bcc_maps. At most two,
 * rewritten; send them with NOTIFY_NEVER.
 */
enum rc route_bcc(struct router *r, struct arena *a, struct str addr,
                  enum route_role role, struct str list[2], size_t *count,
                  struct why *why) MUST_USE;

/* The class of a bare domain. Not for the relay check: see route_resolve. */
enum rc route_class(struct router *r, struct arena *a, struct str domain,
                    enum route_class *class, struct why *why) MUST_USE;

struct route {
    struct str addr; /* as resolved: of "user%b@ours" user@b */
    enum route_class class;
    bool routed; /* the local part still says where to go: "u@b@relay" */
    struct str transport, nexthop;
};

/*
 * Where an address goes. "Ours" (permit_auth_destination) is what is not
 * routed and not CLASS_DEFAULT. Always has a transport and next hop; "error"
 * and "retry" have a reason there: "5.1.1 User unknown in virtual alias
 * table", "5.1.3 bad address syntax". TEMP only where a table fails.
 */
enum rc route_resolve(struct router *r, struct arena *a, struct str sender,
                      struct str addr, struct route *route,
                      struct why *why) MUST_USE;

/*
 * May mail from `sender` for this (rewritten) recipient be accepted? PERM
 * 5.1.1 "User unknown in local recipient table" and kin where its domain is
 * ours and the user unknown; 5.1.6 where relocated; the text of an error:
 * transport; OK for domains that are not ours. *code is the SMTP reply's
 * (unknown_local_recipient_reject_code ...); with 4xx the result is TEMP.
 */
enum rc route_known(struct router *r, struct arena *a, struct str sender,
                    struct str addr, int *code, struct why *why) MUST_USE;

/* The same for a sender (reject_unlisted_sender): 5.1.0. */
enum rc route_known_sender(struct router *r, struct arena *a, struct str addr,
                           int *code, struct why *why) MUST_USE;

/*
 * The final recipients of one rewritten recipient: virtual aliases expanded
 * (bounded by virtual_alias_recursion_limit and _expansion_limit, duplicates
 * within the expansion removed), each resolved. notify, orcpt and orig of
 * `from` go along; orig is from->addr where the final one differs. Appends to
 * *list, an arena array of *count that starts as NULL and 0 and that only
 * this function makes longer.
 */
enum rc route_expand(struct router *r, struct arena *a, struct str sender,
                     const struct rcpt *from, struct rcpt **list, size_t *count,
                     struct why *why) MUST_USE;

#endif
