/*
 * filter.h - which mailboxes a client means by a filter (RFC 5465 6, RFC 7377
 * 2.2).
 */
#ifndef IMAPD_FILTER_H
#define IMAPD_FILTER_H

#include "space.h"

struct filter_names {
    enum filter filter;
    char separator;
    struct str *names; /* UTF-8; what can be no name is left out */
    size_t count;
};

/* As it was sent, in the arena. */
struct filter_names filter_make(struct session *s, struct arena *a,
                                const struct filter_mailboxes *sent);

/* Is that one of them? Never of those that mean the selected mailbox. Programs
 * of the user's may deliver to any of the personal ones, so all of these are
 * inboxes (RFC 5465 6.3). `kind`: SPACE_ of its namespace. */
bool filter_has(const struct filter_names *f, const struct folder *folder,
                unsigned kind);

#endif
