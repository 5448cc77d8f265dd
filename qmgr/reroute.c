#include "reroute.h"

#include "base/log.h"
#include "mem.h"
#include "portion.h"
#include "qmgr.h"
#include "say.h"

#define ANSWER_MS   15000
#define WORKERS_MAX 4
#define LIST_MAX    32768 /* addresses in one packet, in bytes */

struct request {
    struct node in_queue;
    struct message *message; /* NULL: withdrawn */
    int64_t tag;
    struct peer *peer; /* who looks; NULL: waits for somebody */
    struct timer *timer;
    size_t asked;   /* of the rest, in the packet that is out */
    VEC(char) list; /* rec_rcpt, transport, next hop ... */
    size_t from;    /* offset of the rest */
};

static struct {
    struct crew crew;
    struct node waiting, asked; /* struct request */
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
    struct message *m = q->message;

    loop_cancel(q->timer);
    if (q->peer)
        q->peer->request = NULL;
    list_remove(&q->in_queue);
    vec_free(&q->list);
    mem_free(q);
    if (m == NULL)
        return;
    m->waiting = false;
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
    struct str rest = rest_of(q), transport, nexthop;
    struct rec_rcpt r;

    while (q->message && rest.len) {
        take_next(&rest, &r, &transport, &nexthop);
        if (transport.len)
            portion_route(q->message, &r, transport, nexthop);
        else
            no_route(q->message, &r, TEMP, S("4.3.0"),
                     S("address resolver is not available"));
    }
    end_request(q);
}

static void
too_late(void *self)
{
    struct request *q = self;
    struct peer *p = q->peer;

    q->timer = NULL;
    log_warn("no answer from the address resolver; using stored routes");
    use_stored(q);
    if (p)
        peer_close(p); /* what it says next would be about something else */
}

static void
send_request(struct request *q, struct peer *p)
{
    struct buf addrs = buf_in(qmgr.scratch);
    struct str rest = rest_of(q), transport, nexthop;
    struct rec_rcpt r;

    for (q->asked = 0; rest.len && addrs.len < LIST_MAX; q->asked++) {
        take_next(&rest, &r, &transport, &nexthop);
        put_addr(&addrs, &(struct rec_addr){r.addr});
    }
    list_remove(&q->in_queue);
    list_add(&own.asked, &q->in_queue);
    q->tag = ++own.tag;
    q->peer = p;
    p->request = q;
    crew_take(&own.crew, p);
    if (!send_route(&p->link, &(struct msg_route){.tag = q->tag,
                                                  .sender = q->message->sender,
                                                  .addrs = buf_str(&addrs)}))
        peer_close(p);
}

static void
run(struct crew *c)
{
    struct node *n;

    while ((n = list_first(&own.waiting))) {
        struct peer *p = crew_idle(c);

        if (p == NULL) {
            crew_need(c);
            return;
        }
        send_request(list_item(n, struct request, in_queue), p);
    }
}

/* There is a rest to be asked for, or nobody to answer. */
static void
wait_again(struct request *q)
{
    q->peer = NULL;
    list_remove(&q->in_queue);
    list_push(&own.waiting, &q->in_queue);
}

void
reroute_ask(struct reroute *r)
{
    if (r->count == 0)
        return;

    struct request *q = mem_make(struct request);
    struct str list = buf_str(&r->list);

    q->message = r->message;
    q->message->waiting = true;
    q->list.at = mem_new(list.len);
    memcpy(q->list.at, list.p, list.len);
    q->list.len = q->list.cap = list.len;
    q->timer = loop_after(qmgr.loop, ANSWER_MS, too_late, q);
    list_add(&own.waiting, &q->in_queue);
    run(&own.crew);
}

static void
missing(struct crew *c, int64_t seconds, struct str text)
{
    (void)c;
    (void)seconds;
    (void)text;
    while (!list_empty(&own.waiting))
        use_stored(
            list_item(list_first(&own.waiting), struct request, in_queue));
}

void
reroute_init(void)
{
    list_init(&own.waiting);
    list_init(&own.asked);
    crew_init(&own.crew, "rewrite", run);
    own.crew.limit = WORKERS_MAX;
    own.crew.missing = missing;
}

struct crew *
reroute_crew(void)
{
    return &own.crew;
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
    for (; m.routes.len && count < q->asked; count++) {
        if (!get_routed_rcpt(&m.routes, &route))
            return false; /* reroute_lost sees to the rest */
        take_next(&rest, &r, &transport, &nexthop);
        if (q->message)
            place(q->message, &r, &route);
        q->from = (size_t)(rest.p - q->list.at);
    }
    p->request = NULL;
    wait_again(q);
    crew_rest(&own.crew, p);
    if (m.routes.len || count == 0)
        return false;
    if (rest.len == 0 || q->message == NULL)
        end_request(q);
    run(&own.crew);
    return true;
}

void
reroute_lost(struct peer *p)
{
    struct request *q = p->request;

    p->request = NULL;
    if (q == NULL)
        return;
    wait_again(q);
    if (q->message == NULL)
        end_request(q);
    else
        run(&own.crew);
}

static struct request *
find(const struct node *list, const struct message *m)
{
    for (struct node *n = list->next; n != list; n = n->next)
        if (list_item(n, struct request, in_queue)->message == m)
            return list_item(n, struct request, in_queue);
    return NULL;
}

void
reroute_withdraw(struct message *m)
{
    struct request *q = find(&own.waiting, m);

    if (q == NULL)
        q = find(&own.asked, m);
    if (q == NULL)
        return;

    struct str rest = rest_of(q), transport, nexthop;
    struct rec_rcpt r;

    while (rest.len) {
        take_next(&rest, &r, &transport, &nexthop);
        m->loaded--;
        qmgr.rcpts--;
    }
    q->message = NULL;
    m->waiting = false;
    if (q->peer == NULL)
        end_request(q);
}
