/*
 * answer.h - DNS packets as bytes: the question made, the answer taken apart
 * (RFC 1035 part 4, RFC 6891). No I/O; bounded whatever the packet holds.
 */
#ifndef DNS_ANSWER_H
#define DNS_ANSWER_H

#include "dns/dns.h"

#define DNS_NAME_MAX   256 /* of a name as text, with a NUL */
#define DNS_CHAIN_MAX  10
#define DNS_QUERY_MAX  300
#define DNS_PACKET_MAX 65535

/*
 * The question as a packet with EDNS (1232 bytes) and the AD bit. Its
 * length, or 0 where the name is none: empty labels, over 63 or 255 bytes.
 */
size_t answer_ask(unsigned char packet[DNS_QUERY_MAX], struct str name,
                  enum dns_type type, unsigned id);

/*
 * What the packet answers to that question. False where it is malformed or
 * answers something else; `state` then is DNS_FAILED. A chain of aliases
 * that leaves the packet ends with state DNS_NODATA and `name` the last
 * target, *more true: ask on from there.
 */
bool answer_parse(struct str packet, struct str name, enum dns_type type,
                  struct arena *a, struct dns_answer *out, bool *more);

#endif
