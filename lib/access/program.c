#include "access/program.h"

#include <string.h>

#include "access/broker.h"

static struct {
    const char *name;
    const struct login_protocol *login;
    const struct user_program *user;
} own;

static bool
is_login(const struct daemon *d)
{
    return strcmp(d->role, own.name) == 0;
}

static void
prepare(struct daemon *d)
{
    if (is_login(d))
        login_prepare(d, own.login);
    else
        broker_prepare(d, own.user);
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
        login_work(d, own.login);
    else
        broker_work(d, own.user);
}

int
access_main(int argc, char **argv, const char *name,
            const struct login_protocol *login, const struct user_program *user)
{
    const struct program program = {
        .name = name,
        .prepare = prepare,
        .ready = ready,
        .work = work,
    };

    own.name = name;
    own.login = login;
    own.user = user;
    return daemon_main(argc, argv, &program);
}
