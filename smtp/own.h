/*
 * own.h - which addresses are ours: those of inet_interfaces, and those under
 * which a proxy or address translation shows us (proxy_interfaces). Mail for a
 * host at one of them would come back.
 */
#ifndef SMTP_OWN_H
#define SMTP_OWN_H

#include "conf/conf.h"
#include "dns/dns.h"

struct own;

/* Read once, at start. Names in the lists are looked up. */
struct own *own_read(struct arena *life, const struct conf *conf,
                     struct dns *dns, unsigned families);

bool own_has(const struct own *o, const struct sockaddr *sa);

/* Where inet_interfaces names exactly one address of that family, and no
 * loopback, mail leaves from there: the address, or NULL. */
const struct sockaddr *own_only(const struct own *o, int family);

#endif
