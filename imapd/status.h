/*
 * status.h - what is said of mailboxes that are not selected.
 */
#ifndef IMAPD_STATUS_H
#define IMAPD_STATUS_H

#include "session.h"

/* "* STATUS name (MESSAGES 1)": STATUS_ bits. Nothing is said on failure. */
enum rc status_tell(struct session *s, struct str name, unsigned items,
                    struct why *why) MUST_USE;

/* "F" and the mailbox's identity in hexadecimal (RFC 8474). */
void put_mailbox_id(struct buf *b, const uint8_t guid[16]);

#endif
