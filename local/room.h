/*
 * room.h - may a message go into a Maildir, by its owner's quota?
 *
 * Nothing is asked of anybody where quota_rule is empty. What authd says of a
 * user is remembered for a moment.
 */
#ifndef LOCAL_ROOM_H
#define LOCAL_ROOM_H

#include "local.h"

/* In the template. */
void room_open(struct daemon *d);

/*
 * `owner`: the user, as authd knows him; empty: nobody, who has no limit. path
 * is the Maildir, looked at with the rights of `user`. PERM 5.2.2, or TEMP
 * 4.2.2 with quota_full_tempfail, where so many bytes are too much; TEMP 4.3.0
 * where his limits cannot be found out.
 */
enum rc room_check(struct job *j, struct str owner,
                   const struct priv_user *user, const char *path,
                   int64_t bytes, struct why *why) MUST_USE;

/* Do his folders stand in folders? As authd said when his room was asked for,
 * else as mail_location says. */
bool room_is_fs(const struct job *j, struct str owner);

#endif
