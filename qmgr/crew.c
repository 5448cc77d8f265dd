#include "crew.h"

#include "base/log.h"
#include "peer.h"
#include "qmgr.h"

#define STARVED_MS    5
#define PAUSE_MS      1000
#define PAUSE_MAX_MS  60000
#define DEFAULT_LIMIT 100

void
crew_init(struct crew *c, const char *service, void (*run)(struct crew *c))
{
    *c = (struct crew){.service = service, .run = run, .pause = PAUSE_MS};
    list_init(&c->idle);
    list_init(&c->old);
}

struct peer *
crew_idle(const struct crew *c)
{
    struct node *n = list_first(&c->idle);

    return n ? list_item(n, struct peer, in_idle) : NULL;
}

static bool
has_room(const struct crew *c)
{
    size_t limit = c->limit ? c->limit : DEFAULT_LIMIT;

    return c->peers + c->wanted < limit;
}

static void
ask(struct crew *c)
{
    struct msg_want m = {.service = str_from(c->service)};
    /* By half again each time: demand that stays gets there quickly. */
    size_t count = c->peers / 2 + 1;

    for (; count > 0 && has_room(c); count--) {
        if (!send_want(&qmgr.daemon->master, &m))
            return; /* full, or master is gone and we go with it */
        c->wanted++;
    }
}

static void
ask_again(void *self)
{
    struct crew *c = self;

    c->timer = NULL;
    if (c->needed && c->wanted == 0)
        ask(c);
}

void
crew_need(struct crew *c)
{
    c->needed = true;
    if (c->timer || c->wanted > 0 || qmgr.stopping || !has_room(c))
        return;
    if (c->peers > 0) {
        c->timer = loop_after(qmgr.loop, STARVED_MS, ask_again, c);
        return;
    }
    if (c->alone == 0)
        c->alone = loop_now(qmgr.loop);
    ask(c);
}

void
crew_join(struct crew *c, struct peer *p)
{
    c->peers++;
    p->round = c->round;
    if (c->wanted > 0)
        c->wanted--;
    c->pause = PAUSE_MS;
    c->alone = 0;
    crew_rest(c, p);
    c->run(c);
}

void
crew_rest(struct crew *c, struct peer *p)
{
    if (p->round != c->round) {
        list_add(&c->old, &p->in_idle);
        return;
    }
    p->idle_since = loop_now(qmgr.loop);
    list_push(&c->idle, &p->in_idle);
    c->needed = false;
}

void
crew_take(struct crew *c, struct peer *p)
{
    (void)c;
    p->uses++;
    list_remove(&p->in_idle);
}

void
crew_leave(struct crew *c, struct peer *p)
{
    c->peers--;
    list_remove(&p->in_idle);
}

void
crew_refused(struct crew *c, struct str text)
{
    int64_t now = loop_now(qmgr.loop);

    if (c->wanted > 0)
        c->wanted--;
    if (c->peers > 0) /* so many and no more */
        return;
    if (c->pause == PAUSE_MS)
        log_warn("service %s is not available: %.*s", c->service, STR(text));
    if (c->missing)
        c->missing(c, c->alone ? (now - c->alone) / 1000 : 0, text);
    if (c->timer == NULL)
        c->timer = loop_after(qmgr.loop, c->pause, ask_again, c);
    c->pause = c->pause * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : c->pause * 2;
}

void
crew_thin(struct crew *c, int64_t before)
{
    struct node *n;

    while ((n = list_first(&c->old)))
        peer_close(list_item(n, struct peer, in_idle));
    /* The oldest stand at the end. */
    while (!list_empty(&c->idle)) {
        struct peer *p = list_item(c->idle.prev, struct peer, in_idle);

        if (p->idle_since >= before)
            return;
        peer_close(p);
    }
}

void
crew_renew(struct crew *c)
{
    crew_thin(c, INT64_MAX);
    c->round++;
}
