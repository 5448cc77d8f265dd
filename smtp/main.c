/*
 * smtp - mail out by SMTP (role smtp) and LMTP (role lmtp).
 *
 * A worker serves one request of qmgr after the other: some recipients of one
 * message with the same next hop, and the message's open file.
 */
#include "base/log.h"
#include "daemon/child.h"
#include "deliver.h"

static struct packet packet;

static struct agent agent;

static void
prepare(struct daemon *d)
{
    struct why why;

    if (agent_open(&agent, d->life, d->conf, strcmp(d->role, "lmtp") == 0,
                   d->args, &why) != OK)
        log_fatal("%s", why.text);
    own_cert_watch(agent.settings->tls->own_cert, d->board);
}

static void
work(struct daemon *d)
{
    bool timed_out;

    for (;;) {
        int64_t wait =
            agent.open ? agent.settings->connection_cache_time_limit : 0;

        if (!daemon_request(d, &packet, wait, &timed_out))
            break;
        if (timed_out)
            deliver_close(&agent);
        else if (packet.type != MSG_deliver ||
                 !deliver_request(&agent, &d->qmgr, &packet))
            break;
    }
    deliver_close(&agent);
}

int
main(int argc, char **argv)
{
    static const struct program smtp = {
        .name = "smtp", .prepare = prepare, .work = work};

    return daemon_main(argc, argv, &smtp);
}
