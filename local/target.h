/*
 * target.h - serving one destination: mailboxes, files and commands.
 */
#ifndef LOCAL_TARGET_H
#define LOCAL_TARGET_H

#include "expand.h"

/*
 * Deliver to a TARGET_MAILBOX, _FILE or _COMMAND. `only` says that nothing
 * else is to be delivered of this message, so the queue file may become the
 * mailbox file. On OK *why has the words for the log.
 */
enum rc target_serve(struct job *j, const struct rec_rcpt *rcpt,
                     const struct target *t, bool only,
                     struct why *why) MUST_USE;

#endif
