/*
 * resolver.h - what the files of this folder share of a resolver.
 */
#ifndef DNS_RESOLVER_H
#define DNS_RESOLVER_H

#include <ares.h>

#include "dns/cache.h"
#include "dns/hosts.h"

struct dns {
    ares_channel channel;
    struct hosts *hosts;
    struct cache *cache;
    size_t pending; /* questions under way */
};

#endif
