/*
 * virtual.h - role virtual: mailboxes that tables name.
 */
#ifndef LOCAL_VIRTUAL_H
#define LOCAL_VIRTUAL_H

#include "local.h"

/* Deliver, log, and fill in what qmgr is told; texts belong to the job. */
void deliver_virtual(struct job *j, const struct rec_rcpt *rcpt,
                     struct rec_result *result);

#endif
