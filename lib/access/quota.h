/*
 * quota.h - how much mail a user may have.
 *
 * Rules are Dovecot's: a user's fields quota_rule, quota_rule2, quota_rule3
 * ..., and for users without the first one the parameter quota_rule:
 *
 *     *:storage=1G:messages=100000
 *
 * storage counts KiB where no unit (B, K, M, G, T) is said, bytes counts bytes;
 * 0 is no limit. Rules for single folders and in per cent are not known.
 */
#ifndef ACCESS_QUOTA_H
#define ACCESS_QUOTA_H

#include "access/user.h"
#include "store/quota.h"

/* Add what a rule says. False where it says what we do not know. */
bool quota_rule_read(struct str rule, struct quota_limits *limits) MUST_USE;

/* PERM where a rule cannot be read. */
enum rc user_quota(struct user *u, struct quota_limits *limits,
                   struct why *why) MUST_USE;

#endif
