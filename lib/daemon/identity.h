/*
 * identity.h - the files of an identity (conf/identity.h): read, and looked
 * over as an administrator would wish somebody had.
 */
#ifndef DAEMON_IDENTITY_H
#define DAEMON_IDENTITY_H

#include "conf/conf.h"
#include "tls/chain.h"

/* Read one line of an identity; chains are added to *out. PERM with *out as it
 * was. */
enum rc identity_read(struct arena *a, struct str line, struct chains *out,
                      struct why *why) MUST_USE;

/* A remark on a file or certificate, in one line. */
typedef void identity_remark(void *own, const char *text);

/*
 * Chains that were read from the files of a line: certificates that have
 * expired, will within 30 days, or are not valid yet; that are out of order or
 * seem to lack one; that are not for myhostname; and keys that others can
 * read, or network_owner.
 */
void identity_look_over(struct arena *a, const struct conf *conf,
                        struct str line, const struct chains *chains,
                        identity_remark *remark, void *own);

/* All of an identity, with what cannot be read: for a check. */
void identity_check(struct arena *a, const struct conf *conf,
                    struct str identity, identity_remark *remark, void *own);

#endif
