/*
 * target.h - from a next hop to the addresses that may be tried, in order
 * (RFC 5321 part 5): mail exchangers by preference, equals shuffled; the
 * domain's own address where there is none; nothing behind ourselves.
 */
#ifndef SMTP_TARGET_H
#define SMTP_TARGET_H

#include "nexthop.h"
#include "own.h"
#include "settings.h"

struct target {
    struct str host; /* the exchanger's name, or what the next hop says */
    struct sockaddr_storage sa;
    socklen_t len;
    unsigned pref;
    bool best; /* of the best preference there is */

    /* What is signed of the way here (DNSSEC). */
    struct str domain;  /* that it is an exchanger of, behind aliases; empty:
                           the host itself was asked for */
    bool domain_secure; /* its MX records are signed */
    struct str owner;   /* of the address, behind aliases */
    bool secure;        /* the address is signed */
};

struct targets {
    struct target *at;
    size_t count;
    bool self; /* we are an exchanger of it, and were cut off the list */
};

/*
 * Find them. PERM 5.1.10 null MX, 5.4.4 no such host, 5.4.6 it is us; TEMP
 * 4.4.3 nobody knows, 4.4.4.
 */
enum rc targets_find(const struct settings *s, const struct own *own,
                     struct dns *dns, const struct nexthop *hop,
                     struct arena *a, struct targets *out,
                     struct why *why) MUST_USE;

/* Is that how we would talk to ourselves? Only on the port where mail
 * systems listen for each other. */
bool target_may_loop(const struct settings *s, const struct nexthop *hop);

#endif
