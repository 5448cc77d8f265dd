/*
 * pipe.h - role pipe: a command of master.cf takes the message for all of its
 * recipients.
 */
#ifndef LOCAL_PIPE_H
#define LOCAL_PIPE_H

#include "local.h"

struct pipe_service;

/* The service as its arguments say; what is wrong with them ends the process.
 */
const struct pipe_service *pipe_open(struct daemon *d,
                                     const struct settings *s);

/* Deliver, log, and add a result for each recipient. */
void deliver_pipe(struct job *j, struct buf *results);

#endif
