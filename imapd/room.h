/*
 * room.h - is there room for more mail? (RFC 9208)
 */
#ifndef IMAPD_ROOM_H
#define IMAPD_ROOM_H

#include "session.h"

/* What is there, looked up once; start with zeros. */
struct room {
    bool known;
    uint64_t bytes, messages;
};

/* May so much more be stored in a home? PERM 5.2.2 where not. Mail of others
 * has the limits that its maildirsize was counted under. */
enum rc room_check(struct session *s, struct home *home, struct room *room,
                   uint64_t bytes, uint64_t messages, struct why *why) MUST_USE;
/* The same for copies of messages of the selected mailbox. */
enum rc room_check_copy(struct session *s, struct home *home,
                        struct uid_set set, struct why *why) MUST_USE;

#endif
