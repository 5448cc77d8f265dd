/*
 * notes.h - METADATA responses (RFC 5464 4.4, 9590).
 */
#ifndef IMAPD_NOTES_H
#define IMAPD_NOTES_H

#include "session.h"
#include "store/metadata.h"

/* May an entry be called that? */
bool notes_valid(struct str entry);

/* "* METADATA box (/private/comment "x" ...)" of the mailbox at a path: NIL for
 * what is not there. */
void notes_tell(struct session *s, const struct metadata_notes *notes,
                struct str name, const char *path,
                const struct strings *entries);

#endif
