/*
 * fetch.h - FETCH responses, message by message.
 */
#ifndef IMAPD_FETCH_H
#define IMAPD_FETCH_H

#include "access/message.h"
#include "mail/body.h"
#include "session.h"

/* A message whose response is being written. */
struct fetching {
    struct session *s;
    struct arena *message; /* its structure */
    struct arena *item;    /* all else: of one item */
    const struct fetch_item *items;
    size_t count, next; /* items; the one that comes next */
    uint32_t seq;
    struct message m;
    struct opened o;
    bool first;     /* nothing has been said yet */
    bool has_flags; /* FLAGS are among the items, or have been told */
    bool seen_now;  /* \Seen was set by this very command */
    bool failed;    /* one of the items could not be had */
    bool waiting;   /* the item needs what is not made yet: once more */

    /* The rest of a literal, sent as there is room. */
    enum { FETCH_NO_LITERAL, FETCH_RUN, FETCH_DECODED } sending;
    struct run run;
    struct body body;
    uint64_t skip, left; /* of a decoded one */
    struct {
        bool open, known;
        uint64_t size;
    } decoded; /* of a part whose size must be told first: so far */
};

/* "* 1 FETCH (" and all items, in as many calls as it takes: false when more
 * is to come. A failure leaves the response well formed, with what could be
 * had; *why then says what could not (dsn "" where all is well). */
void fetch_begin(struct fetching *f, struct session *s, struct arena *message,
                 struct arena *item, const struct fetch_item *items,
                 size_t count, uint32_t seq, const struct message *m);
bool fetch_go_on(struct fetching *f, struct why *why);
void fetch_end(struct fetching *f);

/* FETCH responses for a set of UIDs that no command has asked for: a task,
 * whose work is in s->command. */
struct task fetch_untagged(struct session *s, struct fetch_item *items,
                           size_t count, struct uid_set set);

#endif
