/*
 * upload.h - messages on their way into a mailbox: APPEND and REPLACE.
 *
 * A message's bytes go to the store as they come. Before the client sends a
 * literal all is checked that can be: the mailbox, the size, the quota.
 */
#ifndef IMAPD_UPLOAD_H
#define IMAPD_UPLOAD_H

#include "session.h"

/* A literal that is a message, or part of one, is announced; `c` is the command
 * so far. False where it is not wanted: that has been answered. */
bool upload_announced(struct session *s, const struct command *c,
                      const struct literal *l) MUST_USE;
/* Its bytes, as they come. */
void upload_bytes(struct session *s, struct str bytes);
/* The command is over, whatever came of it. */
void upload_drop(struct session *s);

#endif
