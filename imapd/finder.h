/*
 * finder.h - the messages of one mailbox that fit a search, found in steps.
 */
#ifndef IMAPD_FINDER_H
#define IMAPD_FINDER_H

#include "found.h"
#include "query.h"

struct candidate;

struct finder {
    struct query q;
    struct uid_range *rest; /* that the index is still to be read of */
    size_t rest_count;
    uint32_t last; /* no UID over this is in the view */
    VEC(struct candidate) candidates;
    size_t at; /* the candidate that comes next */
    bool looking;
    VEC(struct hit) hits; /* by UID */
};

/* The view is that of the mailbox; what the query needs is kept in the
 * command's arena. Failures are those of query_make; finder_end is due then
 * too. */
enum rc finder_begin(struct finder *f, struct session *s, struct mailbox *box,
                     struct view *view, const struct search_key *key,
                     struct why *why) MUST_USE;

/* Only these messages from now on, a part of q.within; before all else. */
void finder_narrow(struct finder *f, struct uid_set set);

/* Go on until all is found (*done) or the session's turn is over. */
enum rc finder_go_on(struct finder *f, bool *done, struct why *why) MUST_USE;

void finder_end(struct finder *f);

#endif
