/*
 * deliver.h - role local: one recipient, from his address to the result.
 */
#ifndef LOCAL_DELIVER_H
#define LOCAL_DELIVER_H

#include "local.h"

/* Deliver, log, and fill in what qmgr is told; texts belong to the job. */
void deliver_local(struct job *j, const struct rec_rcpt *rcpt,
                   struct rec_result *result);

#endif
