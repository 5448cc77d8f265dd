/*
 * sort.h - the order of messages (RFC 5256 2.2, 3, RFC 5957).
 */
#ifndef MAIL_SORT_H
#define MAIL_SORT_H

#include "mail/facts.h"

enum sort_key {
    SORT_ARRIVAL,
    SORT_CC,
    SORT_DATE,
    SORT_FROM,
    SORT_SIZE,
    SORT_SUBJECT,
    SORT_TO,
    SORT_DISPLAYFROM,
    SORT_DISPLAYTO,
};

struct sort_criterion {
    enum sort_key key;
    bool reverse;
};

/* A message: what the criteria ask for must be filled in. */
struct sort_message {
    uint32_t number; /* in the mailbox: decides where nothing else does */
    int64_t arrival; /* INTERNALDATE, seconds */
    uint64_t size;
    const struct facts *facts;
};

/* The sent date: INTERNALDATE where the message has none (RFC 5256 2.2). */
int64_t sort_date(const struct sort_message *m);

/* Put them in order. */
void sort_messages(struct sort_message *messages, size_t count,
                   const struct sort_criterion *criteria,
                   size_t criteria_count);

#endif
