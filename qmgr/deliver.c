#include "deliver.h"

#include "base/log.h"
#include "claim.h"
#include "inside.h"
#include "mail/address.h"
#include "message.h"
#include "qmgr.h"
#include "queue/spool.h"
#include "say.h"

/* Bytes of recipients in one packet, where there are several: what an agent
 * says of each of them fits one too. */
#define RCPTS_MAX 16384
/* An agent's open session goes before other sites so many times in a row. */
#define STREAK_MAX 16
/* Agents that died over one message, before it is put off. */
#define CRASHES_MAX 5
/* Bytes of a reason that are kept. */
#define TEXT_MAX 1000

/* ---- giving work */

static size_t
batch_limit(const struct task *k)
{
    int64_t limit = k->dest->transport->rcpt_limit;

    if (k->message->verp.len) /* a sender address for each recipient */
        return 1;
    return limit > 0 ? (size_t)limit : SIZE_MAX;
}

/* The next recipients of a task, as many as may go at once. */
static struct str
cut_batch(const struct task *k, size_t *count)
{
    struct str all = {k->rcpts.at + k->from, k->rcpts.len - k->from};
    struct str rest = all;
    struct rec_rcpt r;
    size_t limit = batch_limit(k);

    for (*count = 0; rest.len && *count < limit; ++*count) {
        struct str before = rest;

        must(get_rcpt(&rest, &r));
        if (*count > 0 && (size_t)(rest.p - all.p) > RCPTS_MAX) {
            rest = before;
            break;
        }
    }
    return str_sub(all, 0, all.len - rest.len);
}

/* "owner-list+user=example.org@lists.example": bounces tell who it was. */
static struct str
verp_sender(const struct message *m, struct str rcpts)
{
    struct str local, domain, rlocal, rdomain;
    struct rec_rcpt r;

    if (m->verp.len < 2 || m->sender.len == 0)
        return m->sender;
    must(get_rcpt(&rcpts, &r));
    address_split(m->sender, &local, &domain);
    address_split(r.addr, &rlocal, &rdomain);
    return str_from(arena_fmt(qmgr.scratch, "%.*s%c%.*s%c%.*s@%.*s", STR(local),
                              m->verp.p[0], STR(rlocal), m->verp.p[1],
                              STR(rdomain), STR(domain)));
}

/* May local make the queue file itself the mailbox file? */
static bool
claim(struct message *m, const struct transport *t)
{
    return t->way == WAY_LOCAL && m->claimable &&
           m->entry->folder == SPOOL_INCOMING && claim_lend(m);
}

static bool
send_batch(struct peer *p, const struct message *m, int fd)
{
    const struct work *w = &p->work;
    struct str rcpts = {w->rcpts.at, w->rcpts.len};
    int64_t flags = m->flags;

    if (m->flags & (ENVELOPE_PROBE | ENVELOPE_BV))
        flags |= DELIVER_VERIFY;
    if (w->claim)
        flags |= DELIVER_CLAIM;
    return send_deliver(&p->link, &(struct msg_deliver){
                                      .id = str_from(m->id),
                                      .sender = verp_sender(m, rcpts),
                                      .nexthop = str_from(w->dest->nexthop),
                                      .envid = m->envid,
                                      .flags = flags,
                                      .arrived = m->arrived,
                                      .active = m->active,
                                      .skip = m->at.start,
                                      .end = m->at.stop,
                                      .rcpts = rcpts,
                                      .fd = fd,
                                  });
}

static void
keep_batch(struct work *w, struct task *k)
{
    struct str batch = cut_batch(k, &w->count);

    w->message = k->message;
    w->dest = k->dest;
    w->retry = k->job.retry;
    w->handed = now_us();
    w->rcpts.len = 0;
    if (w->rcpts.cap < batch.len) {
        vec_free(&w->rcpts);
        w->rcpts.at = vec_room(NULL, 0, &w->rcpts.cap, batch.len);
        w->rcpts.cap = 8 * batch.len;
    }
    memcpy(w->rcpts.at, batch.p, batch.len);
    w->rcpts.len = batch.len;
    k->from += batch.len;
}

static void
note_session(struct peer *p, struct dest *d)
{
    struct dest *before = p->open;

    if (before == d)
        return;
    p->open = d;
    if (d) {
        d->sessions++;
        d->transport->sessions++;
    }
    if (before) {
        before->sessions--;
        before->transport->sessions--;
        dest_release(before);
    }
}

/* The site has one delivery less; the message keeps its own count until
 * finish, so that nobody settles it in between. */
static void
release(struct peer *p, enum plan_outcome outcome)
{
    struct work *w = &p->work;

    w->message = NULL;
    plan_ended(&w->dest->site, w->retry, outcome);
    dest_rest(w->dest);
}

static void
finish(struct message *m)
{
    m->busy--;
    qmgr.busy--;
    message_settle(m);
}

/* The batch cannot even be shown to an agent. */
static void
no_file(struct peer *p)
{
    struct work *w = &p->work;
    struct message *m = w->message;
    struct dest *d = w->dest;

    release(p, PLAN_UNKNOWN);
    crew_rest(p->crew, p);
    inside_all(m, (struct str){w->rcpts.at, w->rcpts.len}, TEMP, S("4.3.0"),
               S("queue file open error"));
    finish(m);
    dest_release(d);
}

static void
give(struct peer *p, struct task *k)
{
    struct message *m = k->message;
    struct work *w = &p->work;
    bool more;
    int fd;

    p->streak = p->open == k->dest ? p->streak + 1 : 0;
    keep_batch(w, k);
    more = k->from < k->rcpts.len;
    m->served++;
    m->busy++;
    qmgr.busy++;
    plan_started(&k->job, more);
    if (!more)
        transport_free_task(k);
    crew_take(p->crew, p);

    w->claim = claim(m, w->dest->transport);
    fd = w->claim ? m->fd : message_reader(m);
    if (fd < 0) {
        no_file(p);
        return;
    }
    log_flush(); /* what we said of it comes before what the agent says */
    if (send_batch(p, m, fd))
        message_close_surplus(m);
    else
        peer_close(p);
}

/* The agent that knows the site best: one with a session there, else one
 * without any, else whoever has been idle longest. */
static struct peer *
best_idle(const struct transport *t, const struct dest *d)
{
    const struct node *idle = &t->crew.idle;
    struct peer *none = NULL, *oldest = NULL;

    if (t->sessions == 0)
        return crew_idle(&t->crew);
    for (struct node *n = idle->next; n != idle; n = n->next) {
        struct peer *p = list_item(n, struct peer, in_idle);

        if (p->open == d)
            return p;
        if (p->open == NULL && none == NULL)
            none = p;
        oldest = p;
    }
    return none ? none : oldest;
}

/* Who has an open session goes on with it, if something waits there. */
static void
use_sessions(struct transport *t)
{
    struct node *n = t->crew.idle.next, *next;

    for (; t->sessions > 0 && n != &t->crew.idle; n = next) {
        struct peer *p = list_item(n, struct peer, in_idle);
        struct job *j = p->open && p->streak < STREAK_MAX
                            ? plan_pick_at(&p->open->site)
                            : NULL;

        next = n->next;
        if (j)
            give(p, task_of(j));
    }
}

static void
transport_rested(void *self)
{
    struct transport *t = self;

    t->resting = false;
    deliver_run(t);
}

static bool
rest_transport(struct transport *t)
{
    if (t->own_rate_delay <= 0)
        return false;
    t->resting = true;
    loop_after(qmgr.loop, t->own_rate_delay, transport_rested, t);
    return true;
}

void
deliver_run(struct transport *t)
{
    if (t->resting)
        return;
    use_sessions(t);
    while (plan_waiting(&t->plan)) {
        struct job *j;

        if (crew_idle(&t->crew) == NULL) {
            crew_need(&t->crew);
            return;
        }
        j = plan_pick(&t->plan);
        if (j == NULL)
            return;
        give(best_idle(t, task_of(j)->dest), task_of(j));
        if (rest_transport(t))
            return;
    }
}

/* ---- answers */

/* Answers of one delivery, sorted by what follows from them. */
struct answers {
    struct outcome *list; /* outcomes */
    size_t count;
    struct outcome *pass; /* recipients for another transport */
    size_t passed;
};

static struct rec_rcpt *
rcpts_of(const struct work *w)
{
    struct rec_rcpt *list =
        arena_alloc(qmgr.scratch, (w->count + 1) * sizeof *list);
    struct str rest = {w->rcpts.at, w->rcpts.len};

    for (size_t i = 0; i < w->count; i++)
        must(get_rcpt(&rest, &list[i]));
    return list;
}

/* Answers come in the order of the question, nearly always. */
static bool
find_rcpt(const struct rec_rcpt *list, size_t count, int64_t index, size_t *at)
{
    for (size_t n = 0; n < count; n++, *at = *at + 1 < count ? *at + 1 : 0)
        if (list[*at].index == index)
            return true;
    return false;
}

static bool
is_legal(const struct rec_result *r)
{
    return (r->rc == OK || r->rc == TEMP || r->rc == PERM) && r->action >= 0 &&
           r->action <= ACTION_PASS && r->dsn.len < 10 &&
           r->done.len <= DONE_MAX;
}

/* These stand in other packets later, beside other things. */
static void
clip(struct rec_result *r)
{
    struct str *texts[] = {&r->text, &r->relay, &r->remote, &r->reply};

    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = str_sub(*texts[i], 0, TEXT_MAX);
}

static bool
read_answers(const struct work *w, struct str results, struct answers *a)
{
    struct rec_rcpt *rcpts = rcpts_of(w);
    bool *seen = arena_alloc(qmgr.scratch, w->count + 1);
    struct rec_result r;
    size_t at = 0;

    *a = (struct answers){
        .list = arena_alloc(qmgr.scratch, (w->count + 1) * sizeof *a->list),
        .pass = arena_alloc(qmgr.scratch, (w->count + 1) * sizeof *a->pass)};
    while (results.len) {
        if (!get_result(&results, &r) || !is_legal(&r) ||
            !find_rcpt(rcpts, w->count, r.index, &at) || seen[at])
            return false;
        seen[at] = true;
        clip(&r);
        if (r.action == ACTION_PASS)
            a->pass[a->passed++] = (struct outcome){rcpts[at], r};
        else
            a->list[a->count++] = (struct outcome){rcpts[at], r};
    }
    for (size_t i = 0; i < w->count; i++)
        if (!seen[i])
            a->list[a->count++] = (struct outcome){
                rcpts[i],
                {.index = rcpts[i].index,
                     .rc = TEMP,
                     .dsn = S("4.3.0"),
                     .text = S("the delivery agent did not say what happened"),
                     .relay = S("none"),
                     .done = rcpts[i].done}
            };
    return true;
}

/* A claim without success. False: it did succeed, and only the word of it was
 * lost. */
static bool
take_back(struct message *m, const struct work *w)
{
    return claim_end(m, &rcpts_of(w)[0], str_from(w->dest->transport->name),
                     str_from(w->dest->nexthop)) != CLAIM_MAILBOX;
}

/* The file is the mailbox's now. */
static bool
is_claimed(const struct msg_delivered *d, const struct answers *a)
{
    return d->claimed && a->count == 1 && a->list[0].result.rc == OK;
}

static enum plan_outcome
outcome_of(const struct msg_delivered *m, const struct answers *a)
{
    if (m->site_down)
        return PLAN_DOWN;
    return a->count > 0 ? PLAN_GOOD : PLAN_UNKNOWN;
}

static void
pass_on(struct message *m, const struct transport *from, struct outcome *o)
{
    struct str nexthop = o->result.relay, transport;
    struct buf b = buf_in(qmgr.scratch);

    put_rcpt(&b, &o->rcpt);
    str_cut(&nexthop, ':', &transport);
    if (transport.len == 0 || str_eq(transport, str_from(from->name)))
        inside_all(m, buf_str(&b), TEMP, S("4.3.5"),
                   S("mail transport loops to itself"));
    else
        transport_add(m, buf_str(&b), transport, nexthop);
}

/* Keep the agent, or let it go when it has served enough. */
static void
keep_or_retire(struct peer *p, struct dest *session)
{
    int64_t most = qmgr.conf->max_use;

    note_session(p, session);
    if (most > 0 && p->uses >= most)
        peer_close(p);
    else
        crew_rest(p->crew, p);
}

static struct dest *
session_of(const struct work *w, struct str nexthop)
{
    if (nexthop.len == 0)
        return NULL;
    if (str_eq(nexthop, str_from(w->dest->nexthop)))
        return w->dest;
    return dest_find(w->dest->transport, nexthop);
}

/* A failure of the whole site; the first answer says which. */
static void
check_site(struct dest *d, const struct answers *a)
{
    if (!d->site.dead || d->suspended)
        return;
    if (a->count > 0)
        transport_suspend(d, a->list[0].result.dsn, a->list[0].result.text);
    else
        transport_suspend(d, S("4.3.0"), S("unknown mail transport error"));
}

bool
deliver_done(struct peer *p, struct packet *packet)
{
    struct msg_delivered d;
    struct answers a;
    struct work *w = &p->work;
    struct message *m = w->message;
    struct dest *dest = w->dest;

    if (!read_delivered(packet, &d) || m == NULL ||
        !str_eq(d.id, str_from(m->id)) || !read_answers(w, d.results, &a))
        return false;
    if (w->claim && !m->doomed && !is_claimed(&d, &a))
        take_back(m, w);
    release(p, outcome_of(&d, &a));
    for (size_t i = 0; i < a.passed; i++)
        pass_on(m, dest->transport, &a.pass[i]);
    message_results(m, a.list, a.count);
    check_site(dest, &a);
    finish(m);

    /* An agent that retires lets go of its session, perhaps the last thing
     * that holds this destination. */
    dest->sessions++;
    keep_or_retire(p, session_of(w, d.open_nexthop));
    dest->sessions--;
    dest_release(dest);
    return true;
}

static void
died_over(struct message *m, const struct work *w, struct dest *dest)
{
    struct str rcpts = {w->rcpts.at, w->rcpts.len};

    if (w->claim && !m->doomed && !take_back(m, w))
        inside_all(m, rcpts, OK, S("2.0.0"), S("delivered to mailbox"));
    else if (++m->crashes >= CRASHES_MAX || m->doomed || m->hold)
        inside_all(m, rcpts, TEMP, S("4.3.0"),
                   S("the delivery agent died; will try again"));
    else
        transport_add(m, rcpts, str_from(dest->transport->name),
                      str_from(dest->nexthop));
}

void
deliver_lost(struct peer *p)
{
    struct work *w = &p->work;
    struct message *m = w->message;
    struct dest *dest = w->dest;

    if (m) {
        release(p, PLAN_UNKNOWN);
        died_over(m, w, dest);
        finish(m);
        dest_release(dest);
    }
    note_session(p, NULL);
    vec_free(&w->rcpts);
}
