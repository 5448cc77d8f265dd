/*
 * uidl.h - unique ids of messages, in Dovecot's formats.
 *
 * A format has %u (the message's UID) and %v (the mailbox's UIDVALIDITY), as
 * numbers, with what Dovecot allows between % and letter: 0, a width, X for
 * hexadecimal digits; its own default was %08Xu%08Xv. Or it has %f (the name of
 * the file without flags) or %g (the message's GUID, which is the same where
 * dovecot-uidlist has no other). Dovecot's %m is for mbox only. Clients know by
 * them what they have: where it changes, they fetch all again.
 */
#ifndef POP3D_UIDL_H
#define POP3D_UIDL_H

#include <stdint.h>

#include "base/arena.h"
#include "base/why.h"

#define UIDL_MAX 70 /* RFC 1939 7 */

/* Can it be used? PERM: why not. */
enum rc uidl_check(const char *format, struct why *why) MUST_USE;

struct uidl_facts {
    uint32_t uid, validity;
    struct str file, guid; /* needed where uidl_names is true */
};

/* format: one that uidl_check likes. */
struct str uidl_make(struct arena *a, const char *format,
                     const struct uidl_facts *facts);
/* Has it %f or %g? */
bool uidl_names(const char *format);

#endif
