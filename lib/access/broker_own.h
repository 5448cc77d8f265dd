/*
 * broker_own.h - what broker.c and user.c share.
 */
#ifndef ACCESS_BROKER_OWN_H
#define ACCESS_BROKER_OWN_H

#include "access/user.h"
#include "sys/priv.h"

struct user_start {
    uid_t uid;
    gid_t gid;
    struct str user, fields, dir;
    int link;
    const struct priv_calls *calls;
};

/* What processes of users may, but for the user and his folders. */
enum rc user_rights(const struct daemon *d, struct priv *rights,
                    struct why *why) MUST_USE;

/* After a send that failed: the other side's queue is full (it holds ten
 * packets by default), and has room now. False: that was not it, or a second
 * has passed. */
bool link_has_room(const struct link *link);

/* In the forked process: become him, and serve. */
void user_work(struct daemon *d, const struct user_program *p,
               const struct user_start *start) NORETURN;

#endif
