/*
 * domain.h - what a domain may look like (RFC 1123 2.1, RFC 5321 4.1.3).
 *
 * Syntax only. Labels of 1 to 63 bytes, at most 255 in all, no dot at the end.
 */
#ifndef MAIL_DOMAIN_H
#define MAIL_DOMAIN_H

#include "base/str.h"

/*
 * A host name: letters, digits, "-" inside labels, "_" (which is wrong, and
 * in use); and UTF-8, for internationalised names. Not all digits and dots.
 */
bool domain_is_hostname(struct str name);

/* A host name with a dot in it. */
bool domain_is_fqdn(struct str name);

/* Bytes over 127 in it: needs A-labels (IDNA) before DNS sees it. */
bool domain_is_utf8(struct str name);

/* A literal: "[192.0.2.1]" or "[IPv6:2001:db8::1]"; *ip is what stands for the
 * address, "2001:db8::1". ip may be NULL. */
bool domain_is_literal(struct str name, struct str *ip);

/*
 * What may follow the "@" of an address: a literal, or letters, digits, "-",
 * "_" and bytes over 127 in labels that are not empty. Wider than a host name:
 * whether mail can go there is for others to say.
 */
bool domain_in_address(struct str name);

/* An IP address as text, either family, no brackets. */
bool domain_is_ip(struct str text);

/* Is name the domain itself or something below it ("a.example.org" below
 * "example.org")? Case does not matter. */
bool domain_is_under(struct str name, struct str domain);

#endif
