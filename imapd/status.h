/*
 * status.h - what is said of mailboxes that are not selected.
 */
#ifndef IMAPD_STATUS_H
#define IMAPD_STATUS_H

#include "space.h"

/* "* STATUS name (MESSAGES 1)": STATUS_ bits. Nothing is said on failure. */
enum rc status_tell(struct session *s, struct str name, unsigned items,
                    struct why *why) MUST_USE;

/* Append that response, of items that are in `st` (not DELETED-STORAGE). */
void put_status(const struct session *s, struct buf *b, struct str name,
                unsigned items, const struct mailbox_status *st);

/* Append "* LIST (\\HasNoChildren) "/" name", without a line end; attributes
 * are those that are told unasked. */
void put_list(const struct session *s, struct buf *b, const struct folder *f);

/* "F" and the mailbox's identity in hexadecimal (RFC 8474). */
void put_mailbox_id(struct buf *b, const uint8_t guid[16]);

#endif
