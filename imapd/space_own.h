/*
 * space_own.h - what space.c and space_list.c share.
 */
#ifndef IMAPD_SPACE_OWN_H
#define IMAPD_SPACE_OWN_H

#include "space.h"

/* A home that is not the user's, kept open for a while. */
struct space_home {
    const struct mail_space *space;
    struct str owner; /* malloc */
    struct home *home;
    int64_t used;
    bool shut; /* we are not let in: only names and rights can be read */
};

struct spaces {
    struct mail_spaces all;
    struct shares claimed;  /* who said so when this process was started */
    struct shares admitted; /* and does: we are let into their homes */
    struct shares shares;   /* who says so now */
    struct arena *arena;    /* of shares */
    struct text_stamp stamp;
    VEC(struct space_home *) homes;
    struct timer *tidy;
};

/* Who shares with the user; looked at anew when the list has changed. */
const struct shares *space_shares(struct imap *imap);

/* The home of a namespace, opened if need be: PERM 5.2.0 where there is none.
 * TEMP where it has been shared only since the process was started, so that it
 * is not let in. */
enum rc space_home(struct imap *imap, const struct mail_space *space,
                   struct str owner, struct space_home **home,
                   struct why *why) MUST_USE;
/* The same for who asks only for names and rights: it may be `shut`. */
enum rc space_home_seen(struct imap *imap, const struct mail_space *space,
                        struct str owner, struct space_home **home,
                        struct why *why) MUST_USE;

/* Fill in path, stamp and rights of a spot that has the rest. */
enum rc space_rights(struct session *s, struct arena *a, struct spot *spot,
                     struct why *why) MUST_USE;

#endif
