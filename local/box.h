/*
 * box.h - putting the message into a mailbox: a Maildir, where the path ends
 * in "/", or a mailbox file.
 */
#ifndef LOCAL_BOX_H
#define LOCAL_BOX_H

#include "local.h"

struct box_place {
    const char *path;
    const struct priv_user *user; /* with whose rights */
    struct str delivered;         /* Delivered-To */
    struct str owner; /* in whose quota it counts; empty: nobody's */
    bool spool;       /* it stands in mail_spool_directory, whose mode decides
                         about rights */
    bool named;       /* somebody named this file: it may be a device, need not
                         be the user's, and cannot always be locked */
    bool claiming;    /* the queue file may become the mailbox file */
};

/* On OK *why says "delivered to maildir" or "delivered to mailbox". */
enum rc box_deliver(struct job *j, const struct rec_rcpt *rcpt,
                    const struct box_place *place, struct why *why) MUST_USE;

/*
 * Give the queue file to the user who is going to get it, with our own rights
 * still: that saves changing them once more. Only a guess, from where his mail
 * went before; box_take_back undoes it.
 */
void box_expect(struct job *j, const struct account *user, const char *path);

/* At the end of a message: if it was not claimed after all, the queue file
 * belongs to the queue again. */
void box_take_back(struct job *j);

#endif
