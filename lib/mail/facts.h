/*
 * facts.h - what SORT, THREAD and SEARCH ask about messages, from the header,
 * once: an index keeps it.
 */
#ifndef MAIL_FACTS_H
#define MAIL_FACTS_H

#include "base/convert.h"

/* References of a message that are kept: the first, and the last ones. */
#define FACTS_REFERENCES_MAX 100

/* What is asked for; the rest stays empty, and costs nothing. */
enum {
    FACTS_DATE = 1,
    FACTS_SUBJECT = 2,
    FACTS_ADDRESSES = 4,
    FACTS_REFERENCES = 8, /* and the message's own id */
    FACTS_ALL = 15,
};

/* Texts that are compared are mapped (casemap.h), in the arena. */
struct facts {
    bool dated;
    int64_t date;       /* the Date field, seconds since 1970 */
    struct str subject; /* the base subject, mapped (subject.h) */
    bool reply;
    /* What SORT compares: the mailbox of the first address (RFC 5256), and
     * its display name, or else the whole address (RFC 5957). */
    struct str from, to, cc;
    struct str display_from, display_to;
    /* For THREAD: ids without brackets and quotes. In-Reply-To's first where
     * there are no References. */
    struct str message_id;
    struct str *references;
    size_t count;
};

/* `more` may be NULL. */
void facts_of(struct arena *a, struct converters *more, struct str header,
              unsigned wants, struct facts *f);

/* Ids in a field body, at most so many; their number. */
size_t facts_ids(struct arena *a, struct str body, struct str *ids, size_t max);

#endif
