/*
 * write.h - pieces of responses (RFC 9051 7).
 */
#ifndef IMAPD_WRITE_H
#define IMAPD_WRITE_H

#include "command.h"

/* "17-Jul-1996 02:44:25 -0700" in quotes; zone in minutes. */
void put_date_time(struct buf *b, int64_t seconds, int zone);

/* What stands before the value of a FETCH item: "BODY[1.HEADER]<0>". Nothing
 * of what the client wrote but numbers and names of fields comes back. */
void put_fetch_name(struct buf *b, const struct fetch_item *item);

/* What a search found: numbers or UIDs in the order in which they are told. */
struct found {
    const uint32_t *numbers;
    size_t count;
    uint64_t modseq; /* 0: MODSEQ was not asked for */
    /* Of ESEARCH (RFC 7377): where, as put_mailbox writes it; else empty. */
    struct str mailbox;
    uint32_t uidvalidity;
};

/*
 * The whole untagged response: SEARCH or SORT, or ESEARCH where RETURN was
 * given; nothing where only SAVE was. PARTIAL is cut out of the numbers here.
 */
void put_found(struct buf *b, const struct command *c,
               const struct found *found);

/* The messages that PARTIAL chooses of so many, as [*from, *to): empty where
 * there are none (RFC 9394 3.1). */
void partial_range(const struct partial *p, size_t count, size_t *from,
                   size_t *to);

#endif
