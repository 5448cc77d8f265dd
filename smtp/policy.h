/*
 * policy.h - how a server must be talked to.
 *
 * The level is smtp_tls_security_level, or that of the row of
 * smtp_tls_policy_maps for the next hop; DANE makes of "dane" what the server's
 * records allow. Whatever else will have a say in it (MTA-STS, REQUIRETLS) has
 * it here.
 */
#ifndef SMTP_POLICY_H
#define SMTP_POLICY_H

#include "nexthop.h"
#include "settings.h"
#include "target.h"

/*
 * The demand on that server; target is NULL for a UNIX socket. Texts are in
 * the arena or outlive it. TEMP 4.7.5 where it must not be talked to now:
 * "client TLS configuration problem", "TLSA lookup error for H:25", "no TLSA
 * records found".
 */
enum rc policy_find(const struct settings *s, struct dns *dns,
                    const struct nexthop *hop, const struct target *target,
                    struct arena *a, struct tls_demand *out,
                    struct why *why) MUST_USE;

#endif
