/*
 * uidl.h - unique ids of messages, in Dovecot's formats.
 *
 * A format has %u (the message's UID) and %v (the mailbox's UIDVALIDITY), as
 * numbers, with what Dovecot allows between % and letter: 0, a width, X for
 * hexadecimal digits. Its own default was %08Xu%08Xv. Clients know by them what
 * they have: where it changes, they fetch all again.
 */
#ifndef POP3D_UIDL_H
#define POP3D_UIDL_H

#include <stdint.h>

#include "base/arena.h"
#include "base/why.h"

#define UIDL_MAX 70 /* RFC 1939 7 */

/* Can it be used? PERM: why not. */
enum rc uidl_check(const char *format, struct why *why) MUST_USE;

/* format: one that uidl_check likes. */
struct str uidl_make(struct arena *a, const char *format, uint32_t uid,
                     uint32_t validity);

#endif
