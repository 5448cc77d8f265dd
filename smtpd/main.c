/*
 * Mail in: the SMTP server, the LMTP server, and pickup of what sendmail(1)
 * dropped. One program, three roles.
 */
#include "pickup.h"
#include "smtpd.h"

static struct {
    struct server server;
    struct pickup pickup;
} program;

static bool
is_pickup(const struct daemon *d)
{
    return strcmp(d->role, "pickup") == 0;
}

static void
prepare(struct daemon *d)
{
    if (is_pickup(d))
        pickup_open(&program.pickup, d);
    else
        server_open(&program.server, d);
}

static void
ready(struct daemon *d)
{
    if (!is_pickup(d))
        tls_ready(&program.server);
}

static void
work(struct daemon *d)
{
    struct server *server = &program.server;
    struct sockaddr_storage sa;
    socklen_t len;
    int fd;

    if (is_pickup(d)) {
        pickup_work(&program.pickup, d);
        return;
    }

    struct session *s = session_new(d->life);

    server->intake.qmgr = &d->qmgr;
    while (!server->intake.broken && (fd = daemon_accept(d, &sa, &len)) >= 0)
        session_serve(s, server, fd, &sa);
}

int
main(int argc, char **argv)
{
    static const struct program smtpd = {
        .name = "smtpd",
        .prepare = prepare,
        .ready = ready,
        .refresh = ready,
        .work = work,
    };

    return daemon_main(argc, argv, &smtpd);
}
