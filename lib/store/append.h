/*
 * append.h - new messages into a mailbox: all of them, or none.
 *
 *     append_new → append_message, append_write ... → append_commit
 *
 * Their files are written in tmp/ and on disk before they show; so are their
 * names and UIDs when append_commit returns OK.
 */
#ifndef STORE_APPEND_H
#define STORE_APPEND_H

#include "store/flags.h"

struct append;

struct append *append_new(struct mailbox *box);

/* Begin the next message. date is its INTERNALDATE, in seconds. */
enum rc append_message(struct append *ap, unsigned flags, uint64_t keywords,
                       int64_t date, struct why *why) MUST_USE;

/* More of its content, in pieces as they come. CRLF becomes LF. */
enum rc append_write(struct append *ap, struct str bytes,
                     struct why *why) MUST_USE;

/* The UIDs are in the order of the messages. Frees ap, whatever comes of it. */
enum rc append_commit(struct append *ap, struct arena *a, struct uid_set *uids,
                      struct why *why) MUST_USE;

/* Nothing of it stays; frees ap. */
void append_abort(struct append *ap);

#endif
