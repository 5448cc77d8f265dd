/*
 * virtual.h - role virtual: mailboxes that tables name.
 */
#ifndef LOCAL_VIRTUAL_H
#define LOCAL_VIRTUAL_H

#include "local.h"

/* A recipient's mailbox. */
struct virtual_box {
    const char *path;
    struct priv_user user; /* with whose rights */
    struct str owner;      /* the address, in lower case */
    struct str extension;  /* that the tables know nothing of */
};

/* What the tables say of an address. */
enum rc virtual_find(struct job *j, struct str addr, struct virtual_box *box,
                     struct why *why) MUST_USE;

/* Deliver, log, and fill in what qmgr is told; texts belong to the job. */
void deliver_virtual(struct job *j, const struct rec_rcpt *rcpt,
                     struct rec_result *result);

#endif
