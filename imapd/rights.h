/*
 * rights.h - what the user's rights let him do (RFC 4314 4).
 */
#ifndef IMAPD_RIGHTS_H
#define IMAPD_RIGHTS_H

#include "space.h"

/* "* MYRIGHTS name lrs"; nothing where he may not know of it. */
void rights_tell(struct session *s, const struct space_folder *f);

/* Flags that may be changed, or set on what comes new; keywords go with w. */
unsigned rights_flags(unsigned rights);

/* Say FLAGS and PERMANENTFLAGS of the selected mailbox. */
enum rc rights_tell_flags(struct session *s, struct why *why) MUST_USE;

/* Without any of these a mailbox is READ-ONLY (5.2). */
#define RIGHTS_CHANGING                                                        \
    (RIGHT_INSERT | RIGHT_EXPUNGE | RIGHT_SEEN | RIGHT_WRITE | RIGHT_DELETED)

/* On the selected mailbox: false where it is open for reading only, or the
 * user lacks one of these rights; that is answered. */
bool rights_let(struct session *s, unsigned rights);

#endif
