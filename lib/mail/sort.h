/*
 * sort.h - the order of messages (RFC 5256 2.2, 3, RFC 5957).
 */
#ifndef MAIL_SORT_H
#define MAIL_SORT_H

#include "base/order.h"
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
    int64_t arrival; /* INTERNALDATE, seconds */
    int64_t date;    /* of sending; arrival where there is none (2.2) */
    uint64_t size;
    const struct facts *facts; /* for texts */
};

struct sort {
    struct order order;
    const struct sort_message *messages;
    const struct sort_criterion *criteria;
    size_t criteria_count, filled;
};

/* Messages are in the order of their numbers, which decide where nothing else
 * does. They stay, as the criteria (at least one) and the struct do, until all
 * is done. */
void sort_begin(struct sort *s, struct arena *a,
                const struct sort_message *messages, size_t count,
                const struct sort_criterion *criteria, size_t criteria_count);

/* A piece of the work. True: it is done, s->order.at[].place is the order. */
bool sort_step(struct sort *s) MUST_USE;

#endif
