/*
 * dns.h - questions to name servers, with time limits and a small cache.
 *
 * Blocking, for processes that serve one session at a time: c-ares carries
 * the packets (several servers, repetition, TCP for what is too large), the
 * answers are parsed here. Nothing is appended to names, nothing is guessed.
 *
 * What a look-up returns: OK and at least one record; PERM where the answer
 * is final and negative (`state` tells which); TEMP where nobody knows. The
 * texts are Postfix's. Records and names are copies in the caller's arena.
 */
#ifndef DNS_DNS_H
#define DNS_DNS_H

#include <sys/socket.h>

#include "base/arena.h"
#include "base/why.h"

enum dns_type {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_SRV = 33,
    DNS_TLSA = 52,
};

enum dns_state {
    DNS_FOUND,
    DNS_NXDOMAIN, /* no such name */
    DNS_NODATA,   /* the name exists, without such a record */
    DNS_INVALID,  /* neither the question nor all answers are host names */
    DNS_LOOP,     /* a chain of aliases that is too long or never ends */
    DNS_FAILED,   /* no usable answer in time */
};

struct dns_record {
    enum dns_type type;
    uint32_t ttl;    /* seconds */
    unsigned pref;   /* MX, SRV */
    unsigned weight; /* SRV */
    unsigned port;   /* SRV */
    struct str host; /* MX, NS, PTR, CNAME, SRV: the name, in lower case and
                        without the last dot; the root is empty (null MX) */
    struct str data; /* A: 4 bytes, AAAA: 16, TXT: its strings joined,
                        TLSA: the raw data */
};

struct dns_answer {
    enum dns_state state;
    bool secure;     /* the server says it has validated it (AD) */
    struct str name; /* where the records stand, behind aliases */
    uint32_t ttl;    /* of the whole, in seconds */
    size_t count;    /* up to DNS_RECORDS_MAX */
    struct dns_record *records;
};

#define DNS_RECORDS_MAX 100

struct dns_options {
    const char *servers; /* "192.0.2.1, [2001:db8::1]:5353"; empty: those of
                            /etc/resolv.conf */
    const char *hosts;   /* NULL: /etc/hosts */
    int64_t timeout;     /* of one try, ms; 0: 5000 */
    int tries;           /* per server; 0: 2 */
};

struct dns;

/* A resolver that lives in the arena; one a process, may be made before fork
 * (no socket is open between questions). NULL where the servers cannot be
 * parsed. */
struct dns *dns_open(struct arena *life, const struct dns_options *options,
                     struct why *why);
/* Only for tests: processes keep theirs to the end. */
void dns_close(struct dns *d);

/*
 * Records of one type. Aliases are followed (10 at most, but for CNAME). MX
 * and SRV come sorted by preference, the rest as the server ordered them. A
 * name that is not ASCII is asked for as its A-label. PERM 5.4.4, TEMP 4.4.3.
 */
enum rc dns_lookup(struct dns *d, struct str name, enum dns_type type,
                   struct arena *a, struct dns_answer *answer,
                   struct why *why) MUST_USE;

/* Ask several at once and wait for all; a dns_lookup then finds them in the
 * cache. Failing is no news here. At most 64. */
struct dns_question {
    struct str name;
    enum dns_type type;
};
void dns_ask_ahead(struct dns *d, const struct dns_question *q, size_t count);

/*
 * Addresses of a host: records of type A and AAAA, IPv6 first, from the
 * sources in `how`, the first that knows any. An address as text is answered
 * with itself.
 */
enum {
    DNS_V4 = 1,
    DNS_V6 = 2,
    DNS_FROM_DNS = 4,   /* look-ups */
    DNS_FROM_HOSTS = 8, /* the hosts file, asked first if both are given */
};
enum rc dns_addresses(struct dns *d, struct str host, unsigned how,
                      struct arena *a, struct dns_answer *answer,
                      struct why *why) MUST_USE;

/*
 * Who is that client? From the hosts file or PTR, then confirmed by a look-up
 * of that name's addresses. Names that cannot be had are "unknown".
 */
struct dns_peer {
    enum rc reverse_rc; /* OK, TEMP, PERM: no usable PTR */
    enum rc rc;         /* of the confirmation; PERM: it does not lead back */
    struct str reverse; /* what PTR says */
    struct str name;    /* the same where it is confirmed */
    struct why why;     /* where rc is not OK: "hostname H does not resolve to
                           address A", for the log */
};
void dns_peer_of(struct dns *d, const struct sockaddr *sa, struct arena *a,
                 struct dns_peer *peer);

/* "4.2.0.192.in-addr.arpa" or the ip6.arpa name; for lists, with another
 * suffix: dns_reverse_name(sa, S("zen.example"), a). */
struct str dns_reverse_name(const struct sockaddr *sa, struct str suffix,
                            struct arena *a);

/* Is it a host name: labels of letters, digits, '-' and '_', not all of it
 * digits and dots, at most 255 bytes; one dot at the end is allowed. Bytes
 * above 127 pass as letters (U-labels). */
bool dns_valid_host(struct str name);

/* The name as it is asked for, and stands in certificates: with A-labels. False
 * where there is no such form. A name in ASCII is its own. */
bool dns_to_ascii(struct str name, struct arena *a, struct str *out);

/* "MX"; unknown types as "TYPE99". */
const char *dns_type_name(enum dns_type type);

/* A or AAAA record to a socket address with that port; its length. */
socklen_t dns_to_sockaddr(const struct dns_record *r, unsigned port,
                          struct sockaddr_storage *sa);
/* The other way: the record's data points into sa. */
struct dns_record dns_from_sockaddr(const struct sockaddr *sa);

#endif
