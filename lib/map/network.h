/*
 * network.h - addresses and networks: "192.0.2.1", "10.0.0.0/8",
 * "[2001:db8::]/32".
 */
#ifndef MAP_NETWORK_H
#define MAP_NETWORK_H

#include "base/why.h"

struct network {
    unsigned char bytes[16];
    unsigned size; /* 4 or 16 bytes */
    unsigned bits; /* of the prefix; a single address has all */
};

/* One address, without brackets; false where it is none. */
bool network_address(struct str text, struct network *n);

/* An address or a network, in brackets or not. PERM where it is none or has
 * bits behind the prefix, with a text that says what was meant. */
enum rc network_parse(struct str text, struct network *n,
                      struct why *why) MUST_USE;

/* Is the address in the network? */
bool network_holds(const struct network *n, const struct network *address);

#endif
