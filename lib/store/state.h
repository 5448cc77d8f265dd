/*
 * state.h - posta-state: what a folder must not forget when its index is lost
 * and that no other file can hold.
 *
 *     1 V1700000000
 *     M 1700000000123456      no mod-sequence over this was ever given out
 *     K 26 projects           a keyword without a letter
 *     U 17 0000000004000000   the keywords without a letter of UID 17
 *
 * Lines are added at the end and the last one on a subject counts; U lines are
 * of the UIDVALIDITY in the first line. Written only by whoever has the index's
 * write transaction, or dovecot-uidlist.lock: lines of somebody whose index was
 * removed are read when the folder is listed.
 */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include "base/buf.h"
#include "store/text.h"

#define STATE_FILE "posta-state"
#define STATE_MAX  ((off_t)1 << 28)

struct state_line {
    char kind;       /* 'M', 'K' or 'U' */
    uint32_t uid;    /* U */
    int bit;         /* K */
    uint64_t value;  /* M, U */
    struct str name; /* K */
};

/* Take the first line off *text: the UIDVALIDITY, 0 where it is damaged. */
uint32_t state_head(struct str *text);

/* Take the next line; what is none, also a last one without its end, is
 * stepped over. False at the end. */
bool state_next(struct str *text, struct state_line *l);

void state_put_head(struct buf *b, uint32_t validity);
void state_put(struct buf *b, const struct state_line *l);

/* Lines at the end of the file, which must be there; on disk if `sync`. *known
 * is the stamp of what has been read: it goes on where that was all. */
enum rc state_append(int dir, struct str lines, bool sync,
                     struct text_stamp *known, struct why *why) MUST_USE;

#endif
