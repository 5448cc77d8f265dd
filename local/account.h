/*
 * account.h - users of this machine, remembered for a moment.
 */
#ifndef LOCAL_ACCOUNT_H
#define LOCAL_ACCOUNT_H

#include "base/arena.h"
#include "base/why.h"
#include "sys/priv.h"

struct account {
    struct str name;
    struct priv_user user; /* without supplementary groups */
    const char *home, *shell;
};

/* Forget everything that is older than some seconds. Accounts that were
 * handed out before are gone then. */
void accounts_refresh(void);

/* The user of that name or id. OK with NULL where there is none, TEMP where the
 * user database does not answer. */
enum rc account_find(struct str name, const struct account **account,
                     struct why *why) MUST_USE;
enum rc account_find_uid(uid_t uid, const struct account **account,
                         struct why *why) MUST_USE;

/* Is the answer to account_find remembered? */
bool account_is_known(struct str name);

#endif
