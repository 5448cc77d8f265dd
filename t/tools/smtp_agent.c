/*
 * The program smtp without master: for tests that play qmgr themselves.
 *
 *     smtp_agent smtp|lmtp MAIN.CF FD [flags=...]     FD leads to the test
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "smtp/deliver.h"

static struct packet packet;
static struct agent agent;

static struct str
read_file(struct arena *a, const char *path)
{
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct buf b = buf_in(a);
    ssize_t n;

    while ((n = read(fd, buf_space(&b, 4096), 4096)) > 0)
        b.len += (size_t)n;
    return buf_str(&b);
}

/* False where the link has ended. */
static bool
serve(const struct link *qmgr)
{
    sock_timeout(qmgr->fd,
                 agent.open ? agent.settings->connection_cache_time_limit : 0);
    log_flush();
    switch (link_receive(qmgr, &packet)) {
    case LINK_AGAIN:
        deliver_close(&agent);
        return true;
    case LINK_OK:
        return packet.type == MSG_deliver &&
               deliver_request(&agent, qmgr, &packet);
    default:
        return false;
    }
}

int
main(int argc, char **argv)
{
    struct arena *life = arena_new("process", (size_t)64 << 20);
    struct link qmgr = {.self = SIDE(AGENT), .peer = SIDE(QMGR)};
    struct why why;

    if (argc < 4)
        log_fatal("usage: smtp_agent smtp|lmtp MAIN.CF FD [FLAGS]");
    qmgr.fd = atoi(argv[3]);
    log_open("posta/smtp", STDERR_FILENO, "mail");

    const struct conf *conf =
        conf_from_text(life, read_file(life, argv[2]).p, &why);

    if (conf == NULL ||
        agent_open(&agent, life, conf, strcmp(argv[1], "lmtp") == 0, argv + 4,
                   &why) != OK)
        log_fatal("%s", why.text);
    while (serve(&qmgr))
        ;
    deliver_close(&agent);
    log_flush();
    return 0;
}
