/*
 * identity.h - which files a service's certificates and keys come from.
 *
 * An identity is text, one line a set of files, in the order of use:
 *
 *     chain FILE FILE ...   each key stands before its certificates
 *     pair KEY CERT         one key and its certificates, in any order
 *
 * The same settings give the same text in every process, so daemons name by
 * it what they want of the role keys, which alone reads the keys.
 */
#ifndef CONF_IDENTITY_H
#define CONF_IDENTITY_H

#include "base/arena.h"
#include "conf/conf.h"

/* The value of a parameter; "" where it has none. */
typedef struct str identity_value(void *own, const char *name);

/*
 * The identity of parameters that begin with prefix ("smtpd", "smtp",
 * "lmtp"): PREFIX_tls_chain_files, or else the pairs of PREFIX_tls_eccert_file,
 * PREFIX_tls_cert_file (and their _key_file). Empty where there is none.
 */
struct str identity_make(struct arena *a, const char *prefix,
                         identity_value *value, void *own);

/* The same of a service's own settings. */
struct str identity_of(struct arena *a, const struct conf *conf,
                       const char *prefix);

/* Take the next file name off an identity; false at its end. */
bool identity_next_file(struct str *rest, struct str *file);

#endif
