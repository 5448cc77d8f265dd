/*
 * tls.h - TLS for daemons that serve clients: contexts whose certificates
 * come from the role keys, made anew when these have changed.
 */
#ifndef DAEMON_TLS_H
#define DAEMON_TLS_H

#include "daemon/child.h"
#include "tls/server.h"

struct daemon_tls;

/*
 * In prepare: read what the options name. identity (conf/identity.h) is whose
 * certificates are used; with `names`, tls_server_sni_maps is asked too. The
 * options' name and own are filled in here. Trouble has been logged; then and
 * always, NULL or not, the following may be called.
 */
struct daemon_tls *daemon_tls_open(struct daemon *d,
                                   const struct tls_server_options *options,
                                   struct str identity, bool names);

/* In ready: make the first context, which workers share. */
void daemon_tls_ready(struct daemon_tls *t);

/* Can there be one, as it seems? */
bool daemon_tls_works(struct daemon_tls *t);

/*
 * A session with the newest certificates, for tls_start. NULL where there is
 * no TLS now, which has been logged: no certificate, keys does not answer.
 * Asked again, at most once a second.
 */
SSL *daemon_tls_session(struct daemon_tls *t);

#endif
