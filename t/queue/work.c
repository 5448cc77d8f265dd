#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "driver.h"
#include "queue/spool.h"
#include "queue/writer.h"
#include "sys/disk.h"
#include "sys/io.h"

static struct packet packet;

void
note(const char *what, struct str id)
{
    char line[128], path[512];

    snprintf(path, sizeof path, "%s/ids", plan.dir);
    snprintf(line, sizeof line, "%s %.*s\n", what, STR(id));

    auto_close int fd =
        open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

    if (write(fd, line, strlen(line)) < 0)
        _exit(1);
}

static int64_t
now(void)
{
    return time(NULL);
}

/* ---- a producer */

static struct envelope
envelope(struct arena *a, int number, int message)
{
    struct rcpt *list = arena_alloc(a, (size_t)plan.rcpts * sizeof *list);

    for (int i = 0; i < plan.rcpts; i++)
        list[i] = (struct rcpt){
            .addr = str_from(
                arena_fmt(a, "user%d-%d-%d@example.org", number, message, i)),
            .transport = S("stand"),
            .nexthop = str_from(
                arena_fmt(a, "site%d.example", (message + i) % plan.sites))};
    return (struct envelope){.arrived = now() * 1000000,
                             .sender = S("sender@example.com"),
                             .rcpts = list,
                             .nrcpts = (size_t)plan.rcpts};
}

static bool
write_message(struct arena *a, const struct msg_queue_opened *m,
              const struct envelope *e)
{
    struct queue_writer *w = queue_write(a, m->fd, m->seal);
    struct why why;

    queue_put_delivery_block(w, e->sender,
                             e->nrcpts == 1 ? &e->rcpts[0] : NULL);
    for (int i = 0; i < plan.size; i += 64)
        queue_put(w, S("It was a dark and stormy night; the rain fell in "
                       "torrents, now.\n"));
    return queue_finish(w, e, &why) == OK;
}

static bool
submit(struct link *link, struct arena *a, int number, int message)
{
    struct msg_queue_opened m;
    struct envelope e = envelope(a, number, message);
    char id[64];

    if (!send_queue_open(link, &(struct msg_queue_open){plan.size}) ||
        link_receive(link, &packet) != LINK_OK)
        exit(1);
    if (packet.type != MSG_queue_opened || !read_queue_opened(&packet, &m))
        return false;
    snprintf(id, sizeof id, "%.*s", STR(m.id));
    if (!write_message(a, &m, &e)) {
        close(m.fd);
        if (!send_queue_abandon(link,
                                &(struct msg_queue_abandon){str_from(id)}))
            exit(1);
        return false;
    }
    close(m.fd);
    if (!send_queue_commit(link, &(struct msg_queue_commit){str_from(id)}) ||
        link_receive(link, &packet) != LINK_OK)
        exit(1);
    if (packet.type != MSG_queue_committed)
        return false;
    note("committed", str_from(id));
    return true;
}

void
produce(int fd, int number)
{
    struct link link = {.fd = fd, .self = SIDE(PRODUCER), .peer = SIDE(QMGR)};
    struct arena *a = arena_new("producer", (size_t)1 << 30);

    for (int i = 0; i < plan.messages; i++) {
        if (submit(&link, a, number, i))
            tally->committed++;
        else
            tally->refused++;
        arena_reset(a);
    }
    exit(0);
}

/* ---- messages that are there at the start */

#define FILL_SEAL 0x5ea1

/* One is written as a producer would, the others are its copies. */
static size_t
one_file(char *data, size_t size)
{
    struct arena *a = arena_new("fill", 1 << 20);
    auto_close int fd = memfd_create("fill", MFD_CLOEXEC);
    struct msg_queue_opened m = {.fd = fd, .seal = FILL_SEAL};
    struct envelope e = envelope(a, 0, 0);
    ssize_t n;

    e.arrived -= 3600 * 1000000ll;
    if (!write_message(a, &m, &e) || (n = disk_read(fd, data, size, 0)) < 0)
        exit(1);
    arena_free(a);
    return (size_t)n;
}

void
fill(int count, bool deferred)
{
    static char data[1 << 20];
    char path[SPOOL_PATH_MAX];
    size_t len = one_file(data, sizeof data);
    auto_close int dir = open(plan.dir, O_RDONLY | O_DIRECTORY);
    uint64_t time = (uint64_t)(now() - 3600) * 1000000;
    struct why why;

    if (spool_make(dir, plan.owner, plan.owner, &why) != OK)
        exit(1);
    for (int i = 0; i < count; i++) {
        struct queue_id id =
            queue_id_make(time + (uint64_t)i * 7, (uint16_t)i, false);
        int fd;

        spool_path(deferred ? SPOOL_DEFERRED : SPOOL_INCOMING, id, FILL_SEAL,
                   path);
        fd = disk_create(dir, path, 0700);
        if (fd < 0 || !disk_write(fd, (struct str){data, len}) ||
            (geteuid() == 0 && fchown(fd, plan.owner, plan.owner) < 0))
            exit(1);
        close(fd);
    }
}

/* ---- an agent */

static bool
take_file(const struct msg_deliver *m)
{
    char name[64];
    int out = open(plan.dir, O_PATH | O_DIRECTORY);

    snprintf(name, sizeof name, "mailbox/%.*s", STR(m->id));
    return disk_truncate(m->fd, m->end) && disk_link_fd(m->fd, out, name) &&
           close(out) == 0;
}

static struct rec_result
result_of(const struct rec_rcpt *r)
{
    switch (plan.answer) {
    case ANSWER_DEFER:
    case ANSWER_DOWN:
        return (struct rec_result){.index = r->index,
                                   .rc = TEMP,
                                   .dsn = S("4.4.1"),
                                   .text = S("connection refused"),
                                   .relay = S("none")};
    case ANSWER_BOUNCE:
        return (struct rec_result){.index = r->index,
                                   .rc = PERM,
                                   .dsn = S("5.1.1"),
                                   .text = S("no such user"),
                                   .relay = S("stand")};
    default:
        return (struct rec_result){.index = r->index,
                                   .dsn = S("2.0.0"),
                                   .text = S("taken"),
                                   .relay = S("stand")};
    }
}

static void
answer(struct link *link, struct arena *a, struct msg_deliver *m)
{
    struct msg_delivered d = {.id = m->id};
    struct buf b = buf_in(a);
    struct rec_rcpt r;

    if (tally->deliveries++ == 0)
        tally->first_us = io_now() * 1000;
    if (plan.answer == ANSWER_DIE && tally->deliveries % 7 == 3)
        _exit(1);
    if (plan.slow)
        usleep((useconds_t)plan.slow * 1000);
    while (m->rcpts.len && get_rcpt(&m->rcpts, &r)) {
        struct rec_result result = result_of(&r);

        put_result(&b, &result);
        tally->delivered += result.rc == OK;
    }
    if (plan.answer == ANSWER_CLAIM && m->flags & DELIVER_CLAIM) {
        d.claimed = take_file(m);
        tally->claimed += d.claimed;
    }
    if (plan.answer == ANSWER_SENT || plan.answer == ANSWER_CLAIM)
        note("delivered", m->id);
    d.site_down = plan.answer == ANSWER_DOWN;
    d.results = buf_str(&b);
    close(m->fd);
    if (!send_delivered(link, &d))
        _exit(1);
}

void
deliver(int fd)
{
    struct link link = {.fd = fd, .self = SIDE(AGENT), .peer = SIDE(QMGR)};
    struct arena *a = arena_new("agent", (size_t)1 << 28);
    struct msg_deliver m;

    while (link_receive(&link, &packet) == LINK_OK &&
           packet.type == MSG_deliver && read_deliver(&packet, &m)) {
        answer(&link, a, &m);
        arena_reset(a);
    }
    exit(0);
}
