/*
 * expunge.h - messages removed for good.
 */
#ifndef STORE_EXPUNGE_H
#define STORE_EXPUNGE_H

#include "store/flags.h"

/*
 * Remove the messages of the set, of these only the \Deleted ones if
 * `deleted`. Their files are gone from the disk, also after a power cut, when
 * this returns OK. Those that had gone already are not among `removed`.
 */
enum rc expunge_messages(struct mailbox *box, struct uid_set set, bool deleted,
                         struct arena *a, struct uid_set *removed,
                         struct why *why) MUST_USE;

#endif
