/*
 * qmgr - owns the queue: it alone makes, opens and removes queue files, and
 * decides which message goes where, and when.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "draft.h"
#include "peer.h"
#include "qmgr.h"
#include "queue/spool.h"
#include "report.h"
#include "reroute.h"
#include "run.h"
#include "sys/priv.h"
#include "tool.h"
#include "transport.h"

#define SCRATCH_MAX  ((size_t)512 << 20)
#define HOUSEKEEPING 10000 /* milliseconds */
#define STOP_MAX     10000

static struct packet packet;

/* A descriptor or two for each message that is being delivered. */
static void
raise_file_limit(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) < 0)
        return;
    r.rlim_cur = r.rlim_max < 65536 ? r.rlim_max : 65536;
    setrlimit(RLIMIT_NOFILE, &r);
}

/* With the rights we were started with. */
static void
prepare(struct daemon *d)
{
    struct priv_user owner = {.uid = geteuid(), .gid = getegid()};
    struct why why;

    raise_file_limit();
    if (geteuid() == 0 &&
        priv_find_user(d->conf->mail_owner, &owner, &why) != OK)
        log_fatal("mail_owner = %s: %s", d->conf->mail_owner, why.text);
    if (d->queue_dir < 0)
        log_fatal("no queue folder");
    if (spool_make(d->queue_dir, owner.uid, owner.gid, &why) != OK)
        log_fatal("%s", why.text);
    if (geteuid() == 0)
        spool_reclaim(d->queue_dir, owner.uid, owner.gid);
}

/* Administrators are heard when all is known: ALL means all, even at once
 * after a start. */
static void
all_found(void)
{
    tool_listen(qmgr.daemon->listen, qmgr.daemon->nlisten);
}

static void
settings(void)
{
    struct str transports;

    if (!daemon_settings(qmgr.daemon, &packet, &transports))
        log_fatal("malformed settings");
    qmgr.conf = qmgr.daemon->conf;
    transport_settings(transports);
    if (qmgr.started) {
        transport_renew();
        crew_renew(reroute_crew());
        crew_renew(report_crew());
    } else {
        run_start(all_found);
    }
    qmgr.started = true;
}

static void
peer_came(void)
{
    struct msg_peer m;

    if (!read_peer(&packet, &m))
        log_fatal("malformed packet from master");
    if (qmgr.stopping)
        close(m.link);
    else
        peer_join(m.service, m.role, m.link);
}

static void
peer_lacks(void)
{
    struct msg_no_peer m;

    if (read_no_peer(&packet, &m))
        peer_refused(m.service, m.text);
}

static void
master_ready(void *self, unsigned events)
{
    (void)self;
    (void)events;
    switch (link_receive(&qmgr.daemon->master, &packet)) {
    case LINK_OK:
        if (packet.type == MSG_settings)
            settings();
        else if (packet.type == MSG_peer)
            peer_came();
        else if (packet.type == MSG_no_peer)
            peer_lacks();
        break;
    case LINK_AGAIN:
        break;
    default:
        loop_stop(qmgr.loop); /* master is gone */
    }
    packet_drop(&packet);
    arena_reset(qmgr.scratch);
}

static void
stop_now(void *self)
{
    (void)self;
    loop_stop(qmgr.loop);
}

/* Deliveries that go on are waited for: their results must not be lost. */
static void
stop(void *self)
{
    (void)self;
    if (!qmgr.stopping)
        loop_after(qmgr.loop, STOP_MAX, stop_now, NULL);
    qmgr.stopping = true;
}

static void
ignore(void *self)
{
    (void)self;
}

static void
housekeeping(void *self)
{
    int64_t idle = qmgr.conf->max_idle > 0 ? qmgr.conf->max_idle : 100000;
    int64_t before = loop_now(qmgr.loop) - idle;

    (void)self;
    transport_thin(before);
    crew_thin(reroute_crew(), before);
    crew_thin(report_crew(), before);
    arena_reset(qmgr.scratch);
    loop_after(qmgr.loop, HOUSEKEEPING, housekeeping, NULL);
}

static void
each_round(void *self)
{
    (void)self;
    arena_reset(qmgr.scratch);
    run_round();
    transport_run();
    arena_reset(qmgr.scratch);
    if (qmgr.stopping && qmgr.busy == 0)
        loop_stop(qmgr.loop);
}

static void
set_up(struct daemon *d)
{
    struct rlimit r;
    unsigned seed;

    if (getrandom(&seed, sizeof seed, 0) == sizeof seed)
        srandom(seed);
    qmgr.daemon = d;
    qmgr.conf = d->conf;
    qmgr.dir = d->queue_dir;
    qmgr.loop = loop_new();
    qmgr.shelf = shelf_new();
    qmgr.scratch = arena_new("scratch", SCRATCH_MAX);
    qmgr.transports = hash_new();
    qmgr.files_max =
        getrlimit(RLIMIT_NOFILE, &r) == 0 ? (size_t)r.rlim_cur / 2 : 256;
}

static void
run(struct daemon *d)
{
    set_up(d);
    draft_init();
    reroute_init();
    report_init();
    fcntl(d->master.fd, F_SETFL, fcntl(d->master.fd, F_GETFL) | O_NONBLOCK);
    loop_watch(qmgr.loop, d->master.fd, LOOP_READ, master_ready, NULL);
    loop_signal(qmgr.loop, SIGTERM, stop, NULL);
    loop_signal(qmgr.loop, SIGHUP, ignore, NULL);
    loop_each_round(qmgr.loop, each_round, NULL);
    housekeeping(NULL);
    loop_run(qmgr.loop);
}

int
main(int argc, char **argv)
{
    static const struct program program = {
        .name = "qmgr", .prepare = prepare, .run = run};

    return daemon_main(argc, argv, &program);
}
