/*
 * binding.h - channel bindings (RFC 5056): what TLS knows about a connection
 * that a man in the middle cannot make equal on both sides.
 */
#ifndef AUTH_BINDING_H
#define AUTH_BINDING_H

#include "base/arena.h"

struct tls_session;

/* As many types as there are: tls-exporter (RFC 9266), tls-server-end-point
 * and tls-unique (RFC 5929). */
#define SASL_BINDINGS 3

/* Longest data of one. */
#define SASL_BINDING_MAX 256

struct sasl_binding {
    struct str type; /* "tls-exporter" */
    struct str data; /* raw bytes; empty: not known */
};

/* What this session, on the server's side, can be bound to. Nothing for
 * mechanisms that know no bindings, as they take time to make; SCRAM without
 * -PLUS too has to know whether there would have been one. */
void sasl_bindings_of(struct arena *a, const struct tls_session *tls,
                      struct str mech, struct sasl_binding at[SASL_BINDINGS]);

/* The data of that type, or NULL. */
const struct sasl_binding *sasl_binding_find(const struct sasl_binding *at,
                                             struct str type);

#endif
