/* Workers that hold many connections: where they come in. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/child.h"
#include "daemon/child_own.h"
#include "map/map.h"

#define TABLES_MS 1000 /* how soon changed tables are noticed */
#define PAUSE_MS  100  /* out of descriptors: until the next try */
#define BATCH     64   /* connections a round */
#define CROWD_MS  500  /* full: until it is looked who can be let go */

static struct {
    struct daemon *daemon;
    struct loop *loop;
    struct daemon_many how;
    size_t count;
    struct watch **watches; /* one a listening socket */
    struct timer *pause, *crowd;
    bool accepting, ending, told_of_tables;
} many;

static bool
is_full(void)
{
    return many.how.full_at > 0 && many.count >= many.how.full_at;
}

static void someone_connects(void *self, unsigned events);

/* Not watched at all while nobody is accepted: epoll tells of a socket that
 * master has shut down whatever one asked for. */
static void
set_accepting(bool on)
{
    struct daemon *d = many.daemon;

    if (many.accepting == on)
        return;
    many.accepting = on;
    for (size_t i = 0; i < d->nlisten; i++)
        if (on)
            many.watches[i] = loop_watch(many.loop, d->listen[i], LOOP_READ,
                                         someone_connects, &d->listen[i]);
        else
            loop_unwatch(many.watches[i]);
}

static void consider(void);

/* Where a worker is idle or about to start, those who wait go there. */
static void
look_at_crowd(void *unused)
{
    struct daemon *d = many.daemon;

    (void)unused;
    many.crowd = NULL;
    if (is_full() && board_count(d->board, d->crew, BOARD_IDLE) == 0 &&
        board_count(d->board, d->crew, BOARD_STARTING) == 0)
        many.how.relieve(many.how.own);
    consider();
}

static void
consider(void)
{
    set_accepting(!many.ending && !is_full() && many.pause == NULL);
    if (is_full() && !many.ending && many.how.relieve && many.crowd == NULL)
        many.crowd = loop_after(many.loop, CROWD_MS, look_at_crowd, NULL);
}

static void
tell_state(void)
{
    struct daemon *d = many.daemon;
    bool busy = many.ending || is_full() ||
                (many.how.busy_at > 0 && many.count >= many.how.busy_at);
    uint64_t one = 1;

    board_set(d->board, d->crew, d->place, busy ? BOARD_BUSY : BOARD_IDLE);
    if (busy && board_must_call(d->board, d->crew))
        (void)!write(child.caller, &one, sizeof one);
}

static void
begin_end(bool now)
{
    many.ending = true;
    tell_state(); /* another has to take its place */
    consider();
    tell_state(); /* so that master looks after who connects now */
    many.how.end(many.how.own, now);
}

static void
try_again(void *unused)
{
    (void)unused;
    many.pause = NULL;
    consider();
}

static void
pause_accepting(void)
{
    log_warn("cannot accept a connection: %m");
    if (many.pause == NULL)
        many.pause = loop_after(many.loop, PAUSE_MS, try_again, NULL);
    consider();
}

/* -1: nobody (any more), or no more now. */
static int
take_one(int listen, struct sockaddr_storage *peer)
{
    socklen_t len = sizeof *peer;

    peer->ss_family = AF_UNSPEC;
    int fd = accept4(listen, (struct sockaddr *)peer, &len,
                     SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
                   errno == ENOBUFS))
        pause_accepting();
    else if (fd < 0 && errno == EINVAL)
        begin_end(false); /* master has shut the socket down */
    return fd;
}

static void
someone_connects(void *self, unsigned events)
{
    const int *listen = self;

    (void)events;
    for (int i = 0; i < BATCH && !is_full() && !many.ending; i++) {
        struct sockaddr_storage peer;
        int fd = take_one(*listen, &peer);

        if (fd < 0)
            break;
        many.count++;
        many.how.connected(many.how.own, fd, &peer);
    }
    tell_state();
    consider();
}

void
daemon_many_count(struct daemon *d, int more)
{
    must(d == many.daemon && (more >= 0 || many.count >= (size_t)-more));
    many.count += (size_t)more;
    tell_state();
    consider();
}

void
daemon_many_gone(struct daemon *d)
{
    daemon_many_count(d, -1);
}

static void
on_signal(void *unused, unsigned events)
{
    uint64_t n;

    (void)unused;
    (void)events;
    if (read(child.wake, &n, sizeof n) != sizeof n)
        return;
    begin_end(child.stop != 0);
}

static void
notice_tables(void *unused)
{
    struct daemon *d = many.daemon;
    uint64_t one = 1;

    (void)unused;
    if (map_changed() && !many.told_of_tables &&
        board_ask_renewal(d->board, d->crew))
        (void)!write(child.caller, &one, sizeof one);
    many.told_of_tables = map_changed();
    loop_after(many.loop, TABLES_MS, notice_tables, NULL);
}

void
daemon_many(struct daemon *d, struct loop *l, const struct daemon_many *m)
{
    many.daemon = d;
    many.loop = l;
    many.how = *m;
    many.watches = arena_alloc(d->life, (d->nlisten + 1) * sizeof(void *));
    for (size_t i = 0; i < d->nlisten; i++)
        fcntl(d->listen[i], F_SETFL, fcntl(d->listen[i], F_GETFL) | O_NONBLOCK);
    set_accepting(true);
    loop_watch(l, child.wake, LOOP_READ, on_signal, NULL);
    notice_tables(NULL);
    tell_state();
    if (child.stop || child.retire)
        begin_end(child.stop != 0);
}
