/*
 * user_quota.h - how much mail a user may have.
 *
 * The parameter quota_rule says it of all users; empty, mail is not limited at
 * all. A user's field quota_rule takes its place, and his fields quota_rule2,
 * quota_rule3 ... add to it (mail/quota_rule.h).
 */
#ifndef AUTH_USER_QUOTA_H
#define AUTH_USER_QUOTA_H

#include "base/arena.h"
#include "base/why.h"
#include "mail/quota_rule.h"

/* `rule` is the parameter, fields are what authd says of the user (dovecot.h).
 * PERM 5.3.5 where a rule cannot be read. */
enum rc user_quota(struct arena *a, struct str rule, struct str fields,
                   struct quota_limits *limits, struct why *why) MUST_USE;

#endif
