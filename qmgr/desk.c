#include "desk.h"

#include "qmgr.h"

static void
run(struct crew *c)
{
    desk_run(list_item(c, struct desk, crew));
}

void
desk_init(struct desk *d, const char *service,
          void (*send)(struct question *q, struct peer *p))
{
    list_init(&d->waiting);
    list_init(&d->asked);
    d->send = send;
    crew_init(&d->crew, service, run);
}

void
desk_ask(struct desk *d, struct question *q, struct message *m, int64_t ms,
         loop_due *too_late)
{
    q->message = m;
    q->timer = loop_after(qmgr.loop, ms, too_late, q);
    m->waiting = true;
    list_add(&d->waiting, &q->in_desk);
    desk_run(d);
}

void
desk_run(struct desk *d)
{
    struct node *n;

    while ((n = list_first(&d->waiting))) {
        struct peer *p = crew_idle(&d->crew);

        if (p == NULL) {
            crew_need(&d->crew);
            return;
        }
        d->send(list_item(n, struct question, in_desk), p);
    }
}

void
desk_hand(struct desk *d, struct question *q, struct peer *p)
{
    list_remove(&q->in_desk);
    list_add(&d->asked, &q->in_desk);
    q->peer = p;
    p->request = q;
    crew_take(&d->crew, p);
}

void
desk_take_back(struct desk *d, struct question *q)
{
    q->peer = NULL;
    list_remove(&q->in_desk);
    list_push(&d->waiting, &q->in_desk);
}

struct message *
desk_end(struct question *q)
{
    loop_cancel(q->timer);
    if (q->peer)
        q->peer->request = NULL;
    list_remove(&q->in_desk);
    if (q->message)
        q->message->waiting = false;
    return q->message;
}

static struct question *
find(const struct node *list, const struct message *m)
{
    for (struct node *n = list->next; n != list; n = n->next)
        if (list_item(n, struct question, in_desk)->message == m)
            return list_item(n, struct question, in_desk);
    return NULL;
}

struct question *
desk_withdraw(struct desk *d, struct message *m)
{
    struct question *q = find(&d->waiting, m);

    if (q == NULL)
        q = find(&d->asked, m);
    if (q) {
        q->message = NULL;
        m->waiting = false;
    }
    return q;
}
