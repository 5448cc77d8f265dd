/*
 * authd: whoever holds secrets. Four roles, each a pool of its own with its
 * own rights (lib/daemon/roles.def).
 */
#include <string.h>

#include "base/log.h"
#include "daemon/child.h"

#include "authd.h"

static const struct role_work *role;

static void
prepare(struct daemon *d)
{
    role = role_work_find(d->role);
    if (role == NULL)
        log_fatal("role %s is unknown", d->role);
    if (role->prepare)
        role->prepare(d);
}

static void
ready(struct daemon *d)
{
    if (role->ready)
        role->ready(d);
}

static void
work(struct daemon *d)
{
    role->work(d);
}

int
main(int argc, char **argv)
{
    static const struct program program = {
        .name = "authd",
        .prepare = prepare,
        .ready = ready,
        .work = work,
    };

    return daemon_main(argc, argv, &program);
}
