/*
 * binding.h - channel bindings (RFC 5056): what TLS knows about a connection
 * that a man in the middle cannot make equal on both sides.
 */
#ifndef AUTH_BINDING_H
#define AUTH_BINDING_H

#include "base/str.h"

/* As many types as there are: tls-exporter (RFC 9266), tls-server-end-point
 * and tls-unique (RFC 5929). */
#define SASL_BINDINGS 3

/* Longest data of one. */
#define SASL_BINDING_MAX 256

struct sasl_binding {
    struct str type; /* "tls-exporter" */
    struct str data; /* raw bytes; empty: not known */
};

/* The data of that type, or NULL. */
const struct sasl_binding *sasl_binding_find(const struct sasl_binding *at,
                                             struct str type);

#endif
