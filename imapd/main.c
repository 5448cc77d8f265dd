/*
 * imapd: IMAP. Two roles: the login stage (imapd), and who starts the
 * processes of users (imap-users).
 */
#include <string.h>

#include "access/broker.h"
#include "imapd.h"

static bool
is_login(const struct daemon *d)
{
    return strcmp(d->role, "imapd") == 0;
}

static void
prepare(struct daemon *d)
{
    if (is_login(d))
        login_prepare(d, &imap_login);
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
        login_work(d, &imap_login);
    else
        broker_work(d, &imap_user);
}

int
main(int argc, char **argv)
{
    static const struct program program = {
        .name = "imapd",
        .prepare = prepare,
        .ready = ready,
        .work = work,
    };

    return daemon_main(argc, argv, &program);
}
