/*
 * roles.h - the roles of roles.def, looked up by name.
 */
#ifndef DAEMON_ROLES_H
#define DAEMON_ROLES_H

#include "conf/conf.h"
#include "sys/priv.h"

enum role_kind { SINGLE, POOL, INSIDE, NOTHING };
enum role_user { OWNER, NETWORK, AUTH_OWNER, ROOT };
enum role_listens { NO = 0, YES = 1, PACKETS = 2, LINGERS = 4 }; /* bits */

struct role {
    const char *name;    /* command column of master.cf */
    const char *program; /* NULL: no process */
    enum role_kind kind;
    enum role_user user;
    unsigned link; /* SIDE bits towards qmgr */
    unsigned listens;
    const char *folder; /* below queue_directory, or NULL */
    unsigned may;       /* PRIV_ bits */
    uint64_t caps;
};

/* The role, or NULL where there is none of that name. */
const struct role *role_find(const char *name);

/*
 * Its rights under that configuration: ids of the users it names, folders it
 * may write. PERM where a user does not exist; why says what to do.
 */
enum rc role_rights(const struct role *r, const struct conf *conf,
                    struct priv *rights, struct why *why) MUST_USE;

#endif
