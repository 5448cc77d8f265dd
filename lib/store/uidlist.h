/*
 * uidlist.h - dovecot-uidlist: which message has which UID.
 *
 * Dovecot's format, version 3 (1 is read too):
 *
 *     3 V1700000000 N13 G5f1e...          UIDVALIDITY, next UID, mailbox GUID
 *     1 :1700000001.M1P1.host,S=10        UID, fields, ":", base of the name
 *     12 G1700000001.M1P1.host W12 :1700000002.M2P1.host
 *
 * UIDs rise. New lines are added at the end without a change of N, so the next
 * UID is N or one over the last, whichever is more. Lines of messages that are
 * gone stay until the file is written anew. The file belongs to whoever holds
 * dovecot-uidlist.lock.
 */
#ifndef STORE_UIDLIST_H
#define STORE_UIDLIST_H

#include "base/buf.h"
#include "store/text.h"

#define UIDLIST_FILE "dovecot-uidlist"
#define UIDLIST_LOCK UIDLIST_FILE ".lock" /* see dotlock.h */
#define UIDLIST_MAX  ((off_t)1 << 30)     /* bytes read */
#define UIDLIST_LAST (UINT32_MAX - 65536) /* highest UID that is believed */

struct uidlist_head {
    uint32_t validity, next; /* not 0 */
    bool has_guid;
    uint8_t guid[16];
    struct str others; /* " Pformat": fields of others, as they stand */
};

struct uidlist_line {
    uint32_t uid;
    struct str fields; /* "W12 G...": as they stand, may be empty */
    struct str base;   /* of the file name */
};

/* Take the first line off *text. False where it is no such line. */
bool uidlist_head(struct str *text, struct uidlist_head *h);

/*
 * Take the next line off *text; false at the end. Lines that are none, also a
 * last one without its end, are stepped over, and so is a line whose UID does
 * not rise over *last, which starts at 0.
 */
bool uidlist_next(struct str *text, uint32_t *last, struct uidlist_line *l);

/* The value of one field ("W12": 'W'), or a NULL view. */
struct str uidlist_field(struct str fields, char key);

void uidlist_put_head(struct buf *b, const struct uidlist_head *h);
void uidlist_put(struct buf *b, const struct uidlist_line *l);

#endif
