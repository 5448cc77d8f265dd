/*
 * dane.h - the TLSA records of a server (RFC 7672, RFC 7671): under which name
 * they stand, and which of them we can use.
 */
#ifndef SMTP_DANE_H
#define SMTP_DANE_H

#include "dns/dns.h"
#include "target.h"
#include "tls_settings.h"

enum dane_found {
    DANE_NONE,     /* there are none, or they are not signed */
    DANE_UNUSABLE, /* there are, and we can use none of them */
    DANE_FOUND,
    DANE_FAILED, /* nobody knows; not to be taken for "none" */
};

struct dane {
    struct str base; /* the name they were found for: its certificate's, and
                        what SNI asks for */
    struct tls_record *records;
    size_t count;
};

enum dane_found dane_find(const struct tls_settings *s, struct dns *dns,
                          const struct target *t, unsigned port,
                          struct arena *a, struct dane *out);

/* The bytes of a record (RFC 6698 2.1); false where it is cut short. */
bool dane_parse(struct str data, struct tls_record *out);

#endif
