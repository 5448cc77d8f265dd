/*
 * resolve - says where mail goes that is tried again (resolve(8)).
 *
 * qmgr never looks into a table: they may be slow. It asks one of these, and
 * goes on with other mail until the answer comes.
 */
#include <string.h>

#include "daemon/child.h"
#include "daemon/routing.h"
#include "mail/address.h"
#include "mail/dsn.h"

#define REQUEST_MAX ((size_t)64 << 20)

/* Room that the packet's own fields need. */
#define ANSWER_MAX (SOCK_PACKET_MAX - 256)

static struct {
    struct router *router;
    struct packet packet;
} state;

static void
prepare(struct daemon *d)
{
    struct why why;

    state.router = routing_open(d->life, d->conf, &why);
}

static struct rec_routed_rcpt
answer(struct arena *a, struct str sender, struct str addr, struct why *why)
{
    struct route route;
    enum rc rc = route_resolve(state.router, a, sender, addr, &route, why);

    if (rc != OK)
        return (struct rec_routed_rcpt){.rc = rc,
                                        .addr = addr,
                                        .dsn = str_from(why->dsn),
                                        .text = str_from(why->text)};
    return (struct rec_routed_rcpt){.rc = OK,
                                    .addr = route.addr,
                                    .transport = route.transport,
                                    .nexthop = route.nexthop};
}

/* As many as the answer holds; qmgr asks again for the rest. */
static struct str
answers(struct arena *a, const struct msg_route *m)
{
    struct str addrs = m->addrs;
    struct buf list = buf_in(a);
    struct rec_addr rcpt;

    while (addrs.len > 0 && get_addr(&addrs, &rcpt)) {
        struct buf one = buf_in(a);
        struct why why = {0};
        struct rec_routed_rcpt r = answer(a, m->sender, rcpt.addr, &why);

        put_routed_rcpt(&one, &r);
        if (list.len + one.len > ANSWER_MAX)
            break;
        buf_add(&list, buf_str(&one));
    }
    return buf_str(&list);
}

static void
work(struct daemon *d)
{
    struct arena *a = arena_new("routes", REQUEST_MAX);
    bool timed_out;

    while (daemon_request(d, &state.packet, 0, &timed_out)) {
        struct msg_route m;

        if (state.packet.type != MSG_route || !read_route(&state.packet, &m))
            return;
        arena_reset(a);

        struct msg_routed done = {.tag = m.tag, .routes = answers(a, &m)};

        if (!send_routed(&d->qmgr, &done))
            return;
    }
}

int
main(int argc, char **argv)
{
    static const struct program program = {
        .name = "resolve", .prepare = prepare, .work = work};

    return daemon_main(argc, argv, &program);
}
