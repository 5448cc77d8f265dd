/*
 * pop3d: POP3. Two roles: the login stage (pop3d), and who starts the
 * processes of users (pop3-users).
 */
#include <string.h>

#include "access/broker.h"
#include "pop3d.h"

static bool
is_login(const struct daemon *d)
{
    return strcmp(d->role, "pop3d") == 0;
}

static void
prepare(struct daemon *d)
{
    if (is_login(d))
        login_prepare(d, &pop3_login);
    else
        broker_prepare(d);
}

static void
ready(struct daemon *d)
{
    if (is_login(d))
        login_ready(d);
}

static void
work(struct daemon *d)
{
    if (is_login(d))
        login_work(d, &pop3_login);
    else
        broker_work(d, &pop3_user);
}

int
main(int argc, char **argv)
{
    static const struct program program = {
        .name = "pop3d",
        .prepare = prepare,
        .ready = ready,
        .work = work,
    };

    return daemon_main(argc, argv, &program);
}
