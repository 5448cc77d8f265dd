/*
 * nexthop.h - the forms of a next hop (transport(5)):
 *
 *   domain            its mail exchangers, or the host itself
 *   domain:port       the same, another port
 *   [host] [host]:port [2001:db8::1]:port    that host, no MX
 *   inet:...          any of these, in LMTP
 *   unix:path         in LMTP; relative to the queue
 *
 * Several, separated by commas or blanks, are tried in turn.
 */
#ifndef SMTP_NEXTHOP_H
#define SMTP_NEXTHOP_H

#include "base/str.h"
#include "base/why.h"

enum nexthop_kind {
    NEXTHOP_DOMAIN, /* look for MX */
    NEXTHOP_HOST,
    NEXTHOP_UNIX,
};

struct nexthop {
    enum nexthop_kind kind;
    struct str text; /* as it was written, with its port */
    struct str host; /* or path of the socket */
    unsigned port;
};

/* Take the next one off the list; false at its end. */
bool nexthop_cut(struct str *list, struct str *one);

/* Views of text. What cannot be parsed is TEMP 4.3.5: somebody mistyped it. */
enum rc nexthop_parse(struct str text, bool lmtp, unsigned default_port,
                      struct nexthop *out, struct why *why) MUST_USE;

#endif
