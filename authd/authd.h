/*
 * authd.h - the roles of this program.
 */
#ifndef AUTHD_AUTHD_H
#define AUTHD_AUTHD_H

#include "daemon/child.h"

/* As in struct program. */
struct role_work {
    const char *name;
    void (*prepare)(struct daemon *d);
    void (*ready)(struct daemon *d);
    void (*work)(struct daemon *d);
};

extern const struct role_work keys_role, auth_role, worker_role, pam_role;

/* The work of a role; NULL where there is none of that name. */
const struct role_work *role_work_find(const char *name);

#endif
