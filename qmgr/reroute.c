#include "reroute.h"

#include "base/log.h"
#include "desk.h"
#include "mem.h"
#include "portion.h"
#include "qmgr.h"
#include "say.h"

#define ANSWER_MS   15000
#define WORKERS_MAX 4
#define LIST_MAX    32768 /* addresses in one packet, in bytes */

struct request {
    struct question asked; /* first */
    int64_t tag;
    size_t count;   /* of the rest, in the packet that is out */
    VEC(char) list; /* rec_rcpt, transport, next hop ... */
    size_t from;    /* offset of the rest */
};

static struct {
    struct desk desk;
    int64_t tag;
} own;

struct reroute
reroute_begin(struct message *m)
{
    return (struct reroute){.message = m, .list = buf_in(qmgr.scratch)};
}

void
reroute_add(struct reroute *r, const struct rec_rcpt *rcpt,
            struct str transport, struct str nexthop)
{
    put_rcpt(&r->list, rcpt);
    pack_text(&r->list, transport);
    pack_text(&r->list, nexthop);
    r->count++;
}

static struct str
rest_of(const struct request *q)
{
    return (struct str){q->list.at + q->from, q->list.len - q->from};
}

static void
take_next(struct str *rest, struct rec_rcpt *r, struct str *transport,
          struct str *nexthop)
{
    must(get_rcpt(rest, r) && unpack_text(rest, transport) &&
         unpack_text(rest, nexthop));
}

static void
end_request(struct request *q)
{
    struct message *m = desk_end(&q->asked);

    vec_free(&q->list);
    mem_free(q);
    if (m)
        message_settle(m);
}

static void
no_route(struct message *m, const struct rec_rcpt *r, enum rc rc,
         struct str dsn, struct str text)
{
    struct outcome o = {
        .rcpt = *r,
        .result = {.index = r->index,
                   .rc = rc,
                   .dsn = dsn,
                   .text = text,
                   .relay = S("none"),
                   .done = r->done}
    };

    say_outcome(m, &o);
    message_results(m, &o, 1);
}

/* Nobody answers: the old routes are better than none. */
static void
use_stored(struct request *q)
{
    struct message *m = q->asked.message;
    struct str rest = rest_of(q), transport, nexthop;
    struct rec_rcpt r;

    while (m && rest.len) {
        take_next(&rest, &r, &transport, &nexthop);
        if (transport.len)
            portion_route(m, &r, transport, nexthop);
        else
            no_route(m, &r, TEMP, S("4.3.0"),
                     S("address resolver is not available"));
    }
    end_request(q);
}

static void
too_late(void *self)
{
    struct request *q = self;
    struct peer *p = q->asked.peer;

    q->asked.timer = NULL;
    log_warn("no answer from the address resolver; using stored routes");
    use_stored(q);
    if (p)
        peer_close(p); /* what it says next would be about something else */
}

static void
send_request(struct question *asked, struct peer *p)
{
    struct request *q = (struct request *)asked;
    struct buf addrs = buf_in(qmgr.scratch);
    struct str rest = rest_of(q), transport, nexthop;
    struct rec_rcpt r;

    for (q->count = 0; rest.len && addrs.len < LIST_MAX; q->count++) {
        take_next(&rest, &r, &transport, &nexthop);
        put_addr(&addrs, &(struct rec_addr){r.addr});
    }
    desk_hand(&own.desk, asked, p);
    q->tag = ++own.tag;
    if (!send_route(&p->link,
                    &(struct msg_route){.tag = q->tag,
                                        .sender = asked->message->sender,
                                        .addrs = buf_str(&addrs)}))
        peer_close(p);
}

void
reroute_ask(struct reroute *r)
{
    if (r->count == 0)
        return;

    struct request *q = mem_make(struct request);
    struct str list = buf_str(&r->list);

    q->list.at = mem_new(list.len);
    memcpy(q->list.at, list.p, list.len);
    q->list.len = q->list.cap = list.len;
    desk_ask(&own.desk, &q->asked, r->message, ANSWER_MS, too_late);
}

static void
missing(struct crew *c, int64_t seconds, struct str text)
{
    (void)c;
    (void)seconds;
    (void)text;
    while (!list_empty(&own.desk.waiting))
        use_stored((struct request *)list_item(list_first(&own.desk.waiting),
                                               struct question, in_desk));
}

void
reroute_init(void)
{
    desk_init(&own.desk, "rewrite", send_request);
    own.desk.crew.limit = WORKERS_MAX;
    own.desk.crew.missing = missing;
}

struct crew *
reroute_crew(void)
{
    return &own.desk.crew;
}

static void
place(struct message *m, const struct rec_rcpt *r,
      const struct rec_routed_rcpt *route)
{
    if (route->rc == OK)
        portion_route(m, r, route->transport, route->nexthop);
    else
        no_route(m, r, (enum rc)route->rc, route->dsn, route->text);
}

bool
reroute_routed(struct peer *p, struct packet *packet)
{
    struct msg_routed m;
    struct request *q = p->request;
    struct rec_routed_rcpt route;
    struct rec_rcpt r;
    struct str rest, transport, nexthop;
    size_t count = 0;

    if (!read_routed(packet, &m) || q == NULL || m.tag != q->tag)
        return false;
    rest = rest_of(q);
    for (; m.routes.len && count < q->count; count++) {
        if (!get_routed_rcpt(&m.routes, &route))
            return false; /* reroute_lost sees to the rest */
        take_next(&rest, &r, &transport, &nexthop);
        if (q->asked.message)
            place(q->asked.message, &r, &route);
        q->from = (size_t)(rest.p - q->list.at);
    }
    p->request = NULL;
    desk_take_back(&own.desk, &q->asked);
    crew_rest(&own.desk.crew, p);
    if (m.routes.len || count == 0)
        return false;
    if (rest.len == 0 || q->asked.message == NULL)
        end_request(q);
    desk_run(&own.desk);
    return true;
}

void
reroute_lost(struct peer *p)
{
    struct request *q = p->request;

    p->request = NULL;
    if (q == NULL)
        return;
    desk_take_back(&own.desk, &q->asked);
    if (q->asked.message == NULL)
        end_request(q);
    else
        desk_run(&own.desk);
}

void
reroute_withdraw(struct message *m)
{
    struct request *q = (struct request *)desk_withdraw(&own.desk, m);

    if (q == NULL)
        return;

    struct str rest = rest_of(q), transport, nexthop;
    struct rec_rcpt r;

    while (rest.len) {
        take_next(&rest, &r, &transport, &nexthop);
        m->loaded--;
        qmgr.rcpts--;
    }
    if (q->asked.peer == NULL)
        end_request(q);
}
