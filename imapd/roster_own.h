/*
 * roster_own.h - what roster.c, roster_folders.c and roster_notes.c
 * share.
 */
#ifndef IMAPD_ROSTER_OWN_H
#define IMAPD_ROSTER_OWN_H

#include "base/hash.h"
#include "notify.h"

#define ROSTER_LIST_MAX ((size_t)64 << 20)

struct roster {
    struct imap *imap;
    struct arena *names; /* of the newest list */
    struct arena *scratch;
    VEC(struct place *) places;
    struct hash *notes; /* "name<TAB>entry" to a hash of the value; NULL: nobody
                           wants to hear of them */
    struct timer *timer, *poll;
    int64_t rest;  /* nothing is looked at before */
    bool folders;  /* all are to be looked at */
    bool others;   /* some are in namespaces that cannot be watched */
    bool half;     /* one is there that is no mailbox yet */
    unsigned held; /* by commands: nothing may change */
};

/* ---- roster.c */

void roster_forget(struct roster *r, struct place *p);
/* A session that listens, as the rights of all are the same; NULL: none. */
struct session *roster_listener(const struct imap *imap);

/* ---- roster_folders.c */

/* List the folders and compare; tell all sessions but one. TEMP: nothing has
 * changed here. */
enum rc roster_compare(struct roster *r, struct session *s,
                       const struct session *but, struct why *why) MUST_USE;

/* ---- roster_notes.c */

/* The same of the notes. */
void roster_compare_notes(struct roster *r, const struct session *but);

#endif
