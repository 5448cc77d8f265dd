/*
 * notes.h - METADATA responses (RFC 5464 4.4, 9590).
 */
#ifndef IMAPD_NOTES_H
#define IMAPD_NOTES_H

#include "space.h"
#include "store/metadata.h"

/* May an entry be called that? */
bool notes_valid(struct str entry);

/* Do these rights let one read and write notes of a mailbox? (RFC 5464 3.3) */
bool notes_let(unsigned rights);

/* "* METADATA box (/private/comment "x" ...)": NIL for what is not there,
 * nothing where the user may not know. */
void notes_tell(struct session *s, const struct spot *spot, struct str name,
                const struct strings *entries);

#endif
