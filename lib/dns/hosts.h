/*
 * hosts.h - the hosts file (hosts(5)), read once.
 */
#ifndef DNS_HOSTS_H
#define DNS_HOSTS_H

#include "dns/dns.h"

struct hosts;

/* A file that is absent is an empty one. At most 1 MiB of it is read. */
struct hosts *hosts_read(struct arena *life, const char *path);
void hosts_free(struct hosts *h); /* what is outside the arena */

/* Addresses of that name and type, appended to records (room for
 * DNS_RECORDS_MAX). Name and data are views of the table. */
void hosts_addresses(const struct hosts *h, struct str name, enum dns_type type,
                     struct dns_answer *answer);

/* The first name of an address; empty where there is none. */
struct str hosts_name(const struct hosts *h, const struct dns_record *addr);

#endif
