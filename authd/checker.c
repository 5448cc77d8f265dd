#include "checker.h"

#include <unistd.h>

#include "base/log.h"
#include "ipc/message.h"
#include "sys/sock.h"

/* Modules of PAM are not all careful with memory: a worker serves so many
 * questions, then another takes its place. */
#define QUESTIONS_MAX 1000

#define CHECK_ARENA ((size_t)4 << 20)

static struct packet packet;

static bool
is_allowed(int fd, uid_t asks)
{
    uid_t uid;
    pid_t pid;

    if (sock_peer_uid(fd, &uid, &pid) && uid == asks)
        return true;
    log_warn("process %d of user %u may not ask here", (int)pid, (unsigned)uid);
    return false;
}

static bool
serve_one(const struct link *link, struct arena *a,
          void (*check)(struct arena *a, const struct question *q,
                        struct answer *answer))
{
    struct answer answer = {.verdict = CHECK_TEMP};
    struct msg_check m;

    /* Whoever asks hangs up when it has taken too long: in a flood thousands
     * of questions are left behind, and none of them is worth a hash. */
    if (sock_peer_gone(link->fd)) {
        packet_wipe(&packet);
        return false;
    }
    if (packet.type != MSG_check || !read_check(&packet, &m))
        return false;
    const struct question q = {
        .what = (enum check_what)m.what,
        .source = m.source,
        .user = m.user,
        .secret = m.secret,
        .stored = m.stored,
        .service = m.service,
        .address = m.address,
    };

    check(a, &q, &answer);
    struct msg_checked out = {
        .tag = m.tag,
        .verdict = answer.verdict,
        .which = answer.which,
        .user = answer.user,
        .fields = answer.fields,
        .text = answer.text,
    };
    bool sent = send_checked(link, &out);

    packet_wipe(&packet);
    arena_wipe(a);
    return sent;
}

static void
serve(int fd, uid_t asks, struct arena *a,
      void (*check)(struct arena *a, const struct question *q,
                    struct answer *answer))
{
    const struct link link = {
        .fd = fd, .self = SIDE(CHECKER), .peer = SIDE(AUTH)};

    if (!is_allowed(fd, asks))
        return;
    for (int n = 0; n < QUESTIONS_MAX && daemon_serve(&link, &packet); n++)
        if (!serve_one(&link, a, check))
            break;
    packet_drop(&packet);
}

void
checker_serve(struct daemon *d, uid_t asks,
              void (*check)(struct arena *a, const struct question *q,
                            struct answer *answer))
{
    struct arena *a = arena_new("check", CHECK_ARENA);
    struct sockaddr_storage peer;
    socklen_t len;
    int fd;

    while ((fd = daemon_accept(d, &peer, &len)) >= 0) {
        serve(fd, asks, a, check);
        close(fd);
    }
}
