#include "portion.h"

#include "mail/address.h"
#include "qmgr.h"
#include "reroute.h"
#include "transport.h"

/* Half of what is free: a list alone is loaded whole, so that recipients of
 * one site go together, and there is always room for the next. */
static size_t
portion_size(void)
{
    int64_t room =
        (qmgr.conf->qmgr_message_recipient_limit - (int64_t)qmgr.rcpts) / 2;

    if (room < qmgr.conf->qmgr_message_recipient_minimum)
        room = qmgr.conf->qmgr_message_recipient_minimum;
    return room < 1 ? 1 : (size_t)room;
}

/* Recipients one after the other that go the same way. */
struct group {
    struct message *m;
    struct buf rcpts;
    struct str transport, nexthop;
};

static void
flush(struct group *g)
{
    if (g->rcpts.len == 0)
        return;
    transport_add(g->m, buf_str(&g->rcpts), g->transport, g->nexthop);
    buf_reset(&g->rcpts);
}

static void
group_add(struct group *g, const struct rec_rcpt *r, struct str transport,
          struct str nexthop)
{
    if (!str_eq(transport, g->transport) || !str_eq(nexthop, g->nexthop)) {
        flush(g);
        g->transport = transport;
        g->nexthop = nexthop;
    }
    put_rcpt(&g->rcpts, r);
}

/* A content filter has all of it, whatever the route: "smtp:[127.0.0.1]:10024"
 * (FILTER in access(5)). */
static void
apply_filter(const struct message *m, const struct rec_rcpt *r,
             struct str *transport, struct str *nexthop)
{
    struct str rest = m->filter;

    if (rest.len == 0)
        return;
    str_cut(&rest, ':', transport);
    if (rest.len)
        *nexthop = rest;
    else if (*qmgr.conf->default_filter_nexthop)
        *nexthop = str_from(qmgr.conf->default_filter_nexthop);
    else
        *nexthop = address_domain(r->addr);
}

void
portion_route(struct message *m, const struct rec_rcpt *r, struct str transport,
              struct str nexthop)
{
    struct buf b = buf_in(qmgr.scratch);

    apply_filter(m, r, &transport, &nexthop);
    put_rcpt(&b, r);
    transport_add(m, buf_str(&b), transport, nexthop);
}

static void
take_one(struct group *g, struct reroute *asked, const struct rec_rcpt *r,
         const struct rcpt *rcpt)
{
    struct str transport = rcpt->transport, nexthop = rcpt->nexthop;

    g->m->sites |= shelf_site(address_domain(r->addr)) | shelf_site(nexthop);
    apply_filter(g->m, r, &transport, &nexthop);
    if (g->m->filter.len == 0 && (g->m->retry || transport.len == 0))
        reroute_add(asked, r, transport, nexthop);
    else
        group_add(g, r, transport, nexthop);
}

void
portion_take(struct message *m, const struct queue_file *f)
{
    struct queue_cursor c = queue_rcpts(f);
    struct queue_result *last =
        f->tried ? queue_results(qmgr.scratch, f) : NULL;
    struct group g = {.m = m, .rcpts = buf_in(qmgr.scratch)};
    struct reroute asked = reroute_begin(m);
    size_t room = portion_size(), before = m->loaded;
    struct rcpt r;

    while (room > 0 && queue_next(&c, &r)) {
        size_t i = c.next - 1;

        if (i < m->next || queue_state_of(f, i) > QUEUE_DEFERRED)
            continue;

        struct rec_rcpt rec = {(int64_t)i, r.addr,
                               r.orig,     r.orcpt,
                               r.notify,   last ? last[i].done : S("")};

        m->loaded++;
        qmgr.rcpts++;
        room--;
        take_one(&g, &asked, &rec, &r);
    }
    m->next = room > 0 ? m->nrcpts : c.next;
    m->portion = m->loaded - before;
    flush(&g);
    reroute_ask(&asked);
}
