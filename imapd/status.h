/*
 * status.h - what is said of mailboxes that are not selected.
 */
#ifndef IMAPD_STATUS_H
#define IMAPD_STATUS_H

#include "space.h"

/* A STATUS response on its way. */
struct status_telling {
    struct str name;
    unsigned items; /* STATUS_ bits */
    struct mailbox *box;
    uint32_t sized; /* sizes up to here are known */
    bool has_sizes; /* all of them */
    uint32_t recent;
    uint32_t summed; /* DELETED-STORAGE, up to here */
    uint64_t freed;
    bool has_freed;
};

/* Go on until "* STATUS name (MESSAGES 1)" has been said (*done) or the turn is
 * over. What is not known of the messages is found out. Nothing is said on
 * failure, and nothing is left to end then. */
enum rc status_go_on(struct session *s, struct status_telling *t, bool *done,
                     struct why *why) MUST_USE;
/* The session ends before. */
void status_drop(struct status_telling *t);

/* Append that response, of items that are in `st` (not DELETED-STORAGE, not
 * RECENT). */
void put_status(const struct session *s, struct buf *b, struct str name,
                unsigned items, const struct mailbox_status *st);

/* Append "* LIST (\\HasNoChildren) "/" name", without a line end; attributes
 * are those that are told unasked. */
void put_list(const struct session *s, struct buf *b, const struct folder *f);

/* "F" and the mailbox's identity in hexadecimal (RFC 8474). */
void put_mailbox_id(struct buf *b, const uint8_t guid[16]);

#endif
