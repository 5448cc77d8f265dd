/*
 * condstore.h - mod-sequences and what happened since one (RFC 7162).
 */
#ifndef IMAPD_CONDSTORE_H
#define IMAPD_CONDSTORE_H

#include "session.h"

/* The client has used it: from now on FETCH responses have mod-sequences. Says
 * HIGHESTMODSEQ where that is owed (3.1). */
void condstore_enable(struct session *s);

/* Append "[HIGHESTMODSEQ 12] " of the selected mailbox for the tagged reply of
 * a command that expunged, where the client has enabled it and it can be told:
 * what is gone is gone. */
void condstore_put_highest(struct session *s, struct buf *b);

/* Say "* VANISHED (EARLIER) ..." of those in a set that went after `since`. */
enum rc condstore_say_vanished(struct session *s, uint64_t since,
                               struct uid_set within, struct why *why) MUST_USE;

/* What both sets have, in the command's arena. */
struct uid_set condstore_both(struct session *s, struct uid_set a,
                              struct uid_set b);

/* SELECT (QRESYNC ...), when the mailbox has been opened and told of: what
 * changed, then the tagged reply. */
void condstore_resync(struct session *s, const struct select *c);

#endif
