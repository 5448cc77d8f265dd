/*
 * own_domains.h - where an address is looked for in the client's tables: as
 * user+ext@domain, user@domain, in the site's own domains (mydestination,
 * myorigin) also as user alone, and as @domain.
 */
#ifndef SMTP_OWN_DOMAINS_H
#define SMTP_OWN_DOMAINS_H

#include "conf/conf.h"
#include "map/map.h"

struct own_domains;

/* Once, at start. */
struct own_domains *own_domains_open(struct arena *life,
                                     const struct conf *conf);

enum rc own_domains_order(struct own_domains *d, struct str addr,
                          struct map_order *order, struct why *why) MUST_USE;

#endif
