/*
 * local - mail for here: roles local, virtual, pipe and quota.
 */
#include <unistd.h>

#include "ask.h"
#include "base/hash.h"
#include "base/log.h"
#include "box.h"
#include "deliver.h"
#include "pipe.h"
#include "room.h"
#include "settings.h"
#include "virtual.h"

static struct packet packet;

typedef void deliver_one(struct job *j, const struct rec_rcpt *rcpt,
                         struct rec_result *result);

static void
prepare(struct daemon *d)
{
    d->own = (void *)settings_open(d);
    room_open(d);
}

/* Recipients one by one, each with his own result. */
static void
deliver_each(struct job *j, deliver_one *deliver, struct buf *results)
{
    struct str rest = j->msg.rcpts;
    struct rec_result result;
    struct rec_rcpt rcpt;

    while (rest.len > 0 && get_rcpt(&rest, &rcpt)) {
        deliver(j, &rcpt, &result);
        put_result(results, &result);
    }
}

static void
deliver(struct job *j, struct buf *results)
{
    if (j->set->pipe)
        deliver_pipe(j, results);
    else if (strcmp(j->d->role, "virtual") == 0)
        deliver_each(j, deliver_virtual, results);
    else
        deliver_each(j, deliver_local, results);
}

/* One message: from qmgr's request to the answer. */
static bool
serve(struct daemon *d, struct arena *a)
{
    struct job *j = job_new(d, a, &packet);

    if (j == NULL) {
        log_warn("malformed request of qmgr");
        return false;
    }
    struct buf results = buf_in(a);

    deliver(j, &results);
    box_take_back(j);
    struct msg_delivered m = {
        .id = j->msg.id,
        .claimed = j->claimed,
        .results = buf_str(&results),
    };

    log_flush();
    bool sent = send_delivered(&d->qmgr, &m);

    job_free(j);
    return sent;
}

static void
work(struct daemon *d)
{
    struct arena *a;
    bool more = true;

    if (strcmp(d->role, "quota") == 0) {
        ask_serve(d);
        return;
    }
    a = arena_new("message", JOB_MEMORY);
    while (more && daemon_request(d, &packet, 0, NULL)) {
        accounts_refresh();
        more = packet.type == MSG_deliver && serve(d, a);
        arena_reset(a);
    }
}

int
main(int argc, char **argv)
{
    static const struct program local = {
        .name = "local", .prepare = prepare, .work = work};

    return daemon_main(argc, argv, &local);
}
