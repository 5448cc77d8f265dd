/*
 * found.h - what became of a search: the response, and "$" (RFC 5182).
 */
#ifndef IMAPD_FOUND_H
#define IMAPD_FOUND_H

#include "session.h"
#include "write.h"

/* A message that fits a search. */
struct hit {
    uint32_t uid;
    uint64_t modseq;
};

/* Where ESEARCH looked. */
struct found_where {
    struct str mailbox;
    uint32_t uidvalidity;
};

struct finder;

/* Say the SEARCH, SORT or ESEARCH response (which has a `where`, else NULL);
 * hits are in the order in which they are told. Those that the view has no more
 * are left out. */
void found_say(struct session *s, const struct command *c,
               const struct finder *f, const struct found_where *where);

/* Keep in "$" what RETURN (SAVE) wants of it. Hits are in the order of a
 * SEARCH: by number. */
void found_save(struct session *s, const struct search *c,
                const struct hit *hits, size_t count);

/* Forget "$". */
void found_forget(struct session *s);

#endif
