/* Where workers wait: for connections, or for requests of qmgr. */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/child.h"
#include "daemon/child_own.h"
#include "map/map.h"

static bool
ending(void)
{
    return child.stop || child.retire;
}

static void
call_master(void)
{
    uint64_t one = 1;

    (void)!write(child.caller, &one, sizeof one);
}

void
daemon_ask_renewal(const struct daemon *d)
{
    if (board_ask_renewal(d->board, d->crew))
        call_master();
}

/* Each new worker would open the changed tables for itself. */
static void
notice_tables(const struct daemon *d)
{
    if (map_changed() && !child.told_of_tables &&
        board_ask_renewal(d->board, d->crew))
        call_master();
    child.told_of_tables = map_changed();
}

static void
watch(int fd, uint32_t events, int tag)
{
    struct epoll_event e = {.events = events, .data.fd = tag};

    if (epoll_ctl(child.epoll, EPOLL_CTL_ADD, fd, &e) < 0)
        log_fatal("cannot wait for descriptor %d: %m", fd);
}

/*
 * EPOLLEXCLUSIVE: one connection wakes one worker, and always the one that
 * has waited in this queue longest, so the surplus stays idle and goes. qmgr's
 * link never has unasked packets; without events it reports only its end.
 */
static void
open_epoll(const struct daemon *d)
{
    child.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (child.epoll < 0)
        log_fatal("epoll_create: %m");
    for (size_t i = 0; i < d->nlisten; i++)
        watch(d->listen[i], EPOLLIN | EPOLLEXCLUSIVE, d->listen[i]);
    watch(child.wake, EPOLLIN, -1);
    if (d->qmgr.fd >= 0)
        watch(d->qmgr.fd, EPOLLRDHUP, -1);
}

/*
 * Wait for a listening socket; -1 to end. Nobody else was woken for one that
 * is ready when a signal has come too: master looks after it when we are gone,
 * so that the client meets the new settings.
 */
static int
wait_listen(const struct daemon *d)
{
    struct epoll_event e;
    int timeout =
        d->max_idle > 0 && d->max_idle < INT32_MAX ? (int)d->max_idle : -1;

    for (;;) {
        int n = epoll_wait(child.epoll, &e, 1, timeout);

        if (ending() || n == 0)
            return -1;
        if (n == 1)
            return e.data.fd;
        if (errno != EINTR)
            log_fatal("epoll_wait: %m");
    }
}

/* What was written to a FIFO, as a pipe that ends where it ends. */
static int
take_fifo(int fifo)
{
    char text[4096];
    ssize_t n = read(fifo, text, sizeof text);
    int ends[2];

    if (n <= 0 || pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    (void)!write(ends[1], text, (size_t)n);
    close(ends[1]);
    return ends[0];
}

/* -1: somebody else got it, or the client left at once. */
static int
take_connection(int listen, struct sockaddr_storage *peer, socklen_t *len)
{
    *len = sizeof *peer;
    peer->ss_family = AF_UNSPEC;

    int fd = accept4(listen, (struct sockaddr *)peer, len, SOCK_CLOEXEC);

    if (fd < 0 && errno == ENOTSOCK)
        return take_fifo(listen);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
                   errno == ENOBUFS)) {
        log_warn("cannot accept a connection: %m");
        sleep(1);
    }
    return fd;
}

/* The worker that takes the last place says so, so that master need not look
 * at each connection. */
static void
become_busy(const struct daemon *d)
{
    board_set(d->board, d->crew, d->place, BOARD_BUSY);
    if (board_must_call(d->board, d->crew))
        call_master();
}

int
daemon_accept(struct daemon *d, struct sockaddr_storage *peer, socklen_t *len)
{
    if (child.epoll < 0)
        open_epoll(d);
    board_client_leave(d->board, d->place);
    notice_tables(d);
    log_flush();
    if (ending() || (d->max_use > 0 && child.served >= d->max_use))
        return -1;
    board_set(d->board, d->crew, d->place, BOARD_IDLE);
    for (;;) {
        int listen = wait_listen(d);

        if (listen < 0)
            return -1;
        int fd = take_connection(listen, peer, len);

        if (fd < 0 && errno == EINVAL)
            return -1; /* master has shut the port down */
        if (fd < 0)
            continue;
        child.served++;
        become_busy(d);
        return fd;
    }
}

static void
limit_receive(const struct daemon *d, int64_t ms)
{
    if (child.receive_ms == ms)
        return;
    sock_timeout(d->qmgr.fd, ms);
    child.receive_ms = ms;
}

/* A signal that comes from here on ends the link's incoming side, and so the
 * wait; a packet that is there already is still read. */
static enum link_state
receive(const struct link *link, struct packet *p)
{
    enum link_state state;

    log_flush();
    child.waiting_on = link->fd;
    state = ending() ? LINK_GONE : link_receive(link, p);
    child.waiting_on = -1;
    return state;
}

bool
daemon_serve(const struct link *link, struct packet *p)
{
    return receive(link, p) == LINK_OK;
}

bool
daemon_request(struct daemon *d, struct packet *p, int64_t wait_ms,
               bool *timed_out)
{
    enum link_state state;

    if (timed_out)
        *timed_out = false;
    notice_tables(d);
    limit_receive(d, wait_ms);
    state = receive(&d->qmgr, p);
    if (state == LINK_AGAIN && !ending()) {
        if (timed_out)
            *timed_out = true;
        return true;
    }
    return state == LINK_OK;
}
