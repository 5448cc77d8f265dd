/*
 * names.h - what mailboxes are called: clients' names and the store's.
 *
 * Names of a client begin with the prefix of their namespace (RFC 2342). In the
 * private one (imap_private_prefix) a home's folder "Work" is "INBOX.Work", and
 * INBOX is INBOX. The parts of all names, clients' and homes', are divided by
 * imap_hierarchy_separator. On disk nothing depends on either.
 */
#ifndef ACCESS_NAMES_H
#define ACCESS_NAMES_H

#include "base/arena.h"
#include "conf/conf.h"

struct names {
    struct str prefix; /* "" or with the separator at its end */
    char separator;    /* '/' or '.' */
};

/* The texts are the configuration's. */
struct names names_of(const struct conf *conf);

/* One way to write a name, as the prefix of it need not be in capitals where
 * it is INBOX, and "INBOX.INBOX" is INBOX to Dovecot, too. In the arena, or the
 * same. */
struct str names_canonical(const struct names *n, struct arena *a,
                           struct str name);

/* What a client's name is in the home, a view of it; false where it lies in
 * none of the private namespace. */
bool names_inner(const struct names *n, struct str name, struct str *inner);

/* The same of what an administrator says: the prefix may be left out. */
struct str names_told(const struct names *n, struct str name);

/* The other way round: in the arena, or the same. */
struct str names_outer(const struct names *n, struct arena *a,
                       struct str inner);

/* The name in the arena with another separator. */
struct str names_divided(struct arena *a, struct str name, char from, char to);

/* Is that name the namespace's own, the prefix without its separator? Never
 * INBOX, which is a mailbox. */
bool names_is_prefix(const struct names *n, struct str name);

#endif
