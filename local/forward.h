/*
 * forward.h - mail for new addresses: a new message in the queue.
 */
#ifndef LOCAL_FORWARD_H
#define LOCAL_FORWARD_H

#include "expand.h"

/*
 * Send the message on to some TARGET_FORWARDs that have the same sender and
 * Delivered-To. `alone` says that there is one and nothing else becomes of the
 * recipient, so that success is reported by who delivers it (RFC 3461
 * 5.2.7.3). On OK *why says "forwarded as ID".
 */
enum rc forward_message(struct job *j, const struct rec_rcpt *rcpt,
                        struct target *const *targets, size_t count, bool alone,
                        struct why *why) MUST_USE;

#endif
