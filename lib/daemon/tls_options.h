/*
 * tls_options.h - what main.cf says of TLS with clients (smtpd_tls_...), for
 * all daemons that serve them.
 */
#ifndef DAEMON_TLS_OPTIONS_H
#define DAEMON_TLS_OPTIONS_H

#include "daemon/child.h"
#include "tls/server.h"

/*
 * Protocols, ciphers, curves, authorities, tickets; the "mandatory" settings
 * where nothing else than TLS is spoken. Certificates of clients, the kind of
 * sessions and ALPN are the caller's. TEMP with why where main.cf has what
 * cannot be used.
 */
enum rc tls_options_make(struct daemon *d, bool mandatory,
                         struct tls_server_options *o,
                         struct why *why) MUST_USE;

#endif
